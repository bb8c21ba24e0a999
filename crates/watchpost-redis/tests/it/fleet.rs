//! Several private servers that belong together. Also of the tests of `watchpost-ops`.

use std::io::Write;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;

use crate::port::free_port;

/// Passwords of the servers and of the Sentinels: different ones.
pub(crate) const SERVER_PASSWORD: &str = "of the servers";
pub(crate) const SENTINEL_PASSWORD: &str = "of the sentinels";
/// The name of the set.
pub(crate) const MASTER: &str = "mymaster";

/// One process that dies with the test.
pub(crate) struct Node {
    pub(crate) port: u16,
    password: Option<&'static str>,
    child: Child,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Node {
    /// `redis-server` with these words, in a directory of its own.
    pub(crate) fn start(dir: &Path, port: u16, password: Option<&'static str>, words: &[&str]) -> Self {
        std::fs::create_dir_all(dir).expect("a directory can be made");
        let mut command = Command::new("redis-server");
        command.current_dir(dir).args(words).stdout(Stdio::null()).stderr(Stdio::null());
        Self { port, password, child: command.spawn().expect("redis-server is installed") }
    }

    /// What `redis-cli` answers.
    pub(crate) fn ask(&self, words: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port.to_string()]).args(words);
        if let Some(password) = self.password {
            command.env("REDISCLI_AUTH", password);
        }
        let output = command.output().expect("redis-cli comes with redis-server");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Do all replicas have what was written before? `WAIT` is about the writes of one client, so it has to make one.
    fn is_in_step(&self) -> bool {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(password) = self.password {
            command.env("REDISCLI_AUTH", password);
        }
        let mut child = command.spawn().expect("redis-cli comes with redis-server");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(b"SET in-step 1\nWAIT 1 5000\n").expect("redis-cli reads");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends with its input");
        String::from_utf8_lossy(&output.stdout).trim().ends_with("OK\n1")
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A master, a replica of it, and Sentinels that watch them.
pub(crate) struct Set {
    pub(crate) sentinels: Vec<Node>,
    pub(crate) servers: Vec<Node>,
    pub(crate) home: TempDir,
}

impl Set {
    pub(crate) async fn start(sentinels: usize) -> Self {
        let home = tempfile::Builder::new().prefix("wp-set-").tempdir().expect("a temporary directory");
        let mut set = Self { sentinels: Vec::new(), servers: Vec::new(), home };
        let first = set.serve(None);
        set.serve(Some(first));
        wait("the replica is in step", || {
            set.servers[0].ask(&["INFO", "replication"]).contains("state=online")
        })
        .await;
        for _ in 0..sentinels {
            set.watch(first, sentinels / 2 + 1);
        }
        let others = (sentinels - 1).to_string();
        wait("the Sentinels know each other and the replica", || {
            set.sentinels.iter().all(|sentinel| {
                let known = sentinel.ask(&["SENTINEL", "MASTER", MASTER]);
                field(&known, "num-slaves") == Some("1")
                    && field(&known, "num-other-sentinels") == Some(&others)
            })
        })
        .await;
        set
    }

    fn serve(&mut self, master: Option<u16>) -> u16 {
        let port = free_port();
        let dir = self.home.path().join(port.to_string());
        let text = port.to_string();
        let of = master.map(|master| format!("127.0.0.1 {master}"));
        let mut words = vec!["--port", &text, "--bind", "127.0.0.1", "--save", "", "--dir", "./"];
        words.extend(["--requirepass", SERVER_PASSWORD, "--masterauth", SERVER_PASSWORD]);
        // A replica in step is one at once, without waiting for others that may want the same copy.
        words.extend(["--repl-diskless-sync-delay", "0"]);
        if let Some(of) = &of {
            words.extend(["--replicaof", of]);
        }
        self.servers.push(Node::start(&dir, port, Some(SERVER_PASSWORD), &words));
        port
    }

    /// A Sentinel for the master at `port`.
    fn watch(&mut self, master: u16, quorum: usize) {
        let port = free_port();
        let dir = self.home.path().join(port.to_string());
        std::fs::create_dir_all(&dir).expect("a directory can be made");
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir ./\nrequirepass \"{SENTINEL_PASSWORD}\"\n\
             sentinel monitor {MASTER} 127.0.0.1 {master} {quorum}\n\
             sentinel auth-pass {MASTER} \"{SERVER_PASSWORD}\"\n\
             sentinel sentinel-pass \"{SENTINEL_PASSWORD}\"\n\
             sentinel down-after-milliseconds {MASTER} 500\nsentinel failover-timeout {MASTER} 4000\n"
        );
        std::fs::write(dir.join("sentinel.conf"), text).expect("the directory is ours");
        self.sentinels.push(Node::start(
            &dir,
            port,
            Some(SENTINEL_PASSWORD),
            &["sentinel.conf", "--sentinel"],
        ));
    }

    /// The server that the Sentinels name.
    pub(crate) fn master(&self) -> usize {
        let answer = self.sentinels[0].ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER]);
        let port = answer.lines().nth(1).and_then(|port| port.parse().ok()).unwrap_or(0);
        self.servers.iter().position(|server| server.port == port).expect("it is one of ours")
    }

    /// Asks the Sentinels to make the other one the master; that takes them a moment.
    pub(crate) async fn fail_over(&self) {
        wait("the Sentinels agree to it", || {
            self.sentinels[0].ask(&["SENTINEL", "FAILOVER", MASTER]).contains("OK")
        })
        .await;
    }

    /// One is the master, and the other has everything that was written to it.
    pub(crate) async fn in_step(&self) {
        wait("the replica follows the master", || self.servers[self.master()].is_in_step()).await;
    }
}

/// The slot of keys that begin with `{security}:`.
pub(crate) const SLOT: u16 = 7_209;

/// Three primaries of a cluster; the second one serves [`SLOT`].
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
    pub(crate) home: TempDir,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        let home = tempfile::Builder::new().prefix("wp-clu-").tempdir().expect("a temporary directory");
        let (mut cluster, mut buses) = (Self { nodes: Vec::new(), home }, Vec::new());
        for n in 0..3 {
            let (port, bus) = (free_port(), free_port());
            let (text, bus_text) = (port.to_string(), bus.to_string());
            let mut words = vec!["--port", &text, "--bind", "127.0.0.1", "--save", "", "--dir", "./"];
            words.extend(["--cluster-enabled", "yes", "--cluster-port", &bus_text]);
            let dir = cluster.home.path().join(n.to_string());
            cluster.nodes.push(Node::start(&dir, port, None, &words));
            buses.push(bus_text);
        }
        for (n, (from, to)) in [(0, 5_460), (5_461, 10_922), (10_923, 16_383)].into_iter().enumerate() {
            let node = &cluster.nodes[n];
            wait("the node answers", || node.ask(&["PING"]) == "PONG").await;
            node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(n + 1).to_string()]);
            node.ask(&["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()]);
        }
        for (node, bus) in cluster.nodes.iter().zip(&buses).skip(1) {
            cluster.nodes[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &node.port.to_string(), bus]);
        }
        wait("the cluster is whole", || {
            cluster.nodes.iter().all(|node| {
                let info = node.ask(&["CLUSTER", "INFO"]);
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            })
        })
        .await;
        // A node that gets no processor time for a while is not dead: none of the tests waits for nodes to find that out.
        for node in &cluster.nodes {
            assert_eq!(node.ask(&["CONFIG", "SET", "cluster-node-timeout", "600000"]), "OK");
        }
        cluster
    }

    /// From when what is returned was called the keys of [`SLOT`] are on two nodes.
    pub(crate) fn prepare_to_move(&self, from: usize, to: usize) -> impl Fn() {
        let (slot, id) = (SLOT.to_string(), |n: usize| self.nodes[n].ask(&["CLUSTER", "MYID"]));
        assert_eq!(self.nodes[to].ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id(from)]), "OK");
        let target = id(to);
        move || {
            let words = ["CLUSTER", "SETSLOT", &slot, "MIGRATING", &target];
            assert_eq!(self.nodes[from].ask(&words), "OK");
        }
    }

    /// Moves up to `n` keys; how many.
    pub(crate) fn move_keys(&self, from: usize, to: usize, n: usize) -> usize {
        let names = self.nodes[from].ask(&["CLUSTER", "GETKEYSINSLOT", &SLOT.to_string(), &n.to_string()]);
        let names: Vec<&str> = names.lines().filter(|name| !name.is_empty()).collect();
        if !names.is_empty() {
            let port = self.nodes[to].port.to_string();
            let words =
                [&["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"], names.as_slice()].concat();
            assert_eq!(self.nodes[from].ask(&words), "OK");
        }
        names.len()
    }

    /// Moves what is left, and tells everybody.
    pub(crate) fn end_to_move(&self, from: usize, to: usize) {
        while self.move_keys(from, to, 1_000) > 0 {}
        let id = self.nodes[to].ask(&["CLUSTER", "MYID"]);
        for n in [to, from, 3 - from - to] {
            let told = self.nodes[n].ask(&["CLUSTER", "SETSLOT", &SLOT.to_string(), "NODE", &id]);
            assert_eq!(told, "OK");
        }
    }
}

/// The value below a name, as `redis-cli` prints a list of both.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines();
    lines.find(|line| *line == name)?;
    lines.next()
}

/// Waits for something that nobody announces.
pub(crate) async fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let mut timer = tokio::time::interval(Duration::from_millis(10));
    let waited = tokio::time::timeout(Duration::from_secs(60), async {
        while !holds() {
            timer.tick().await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}
