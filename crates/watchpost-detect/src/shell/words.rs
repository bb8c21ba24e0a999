//! The programs that the reader knows, by how likely their names are to be something else.

use std::sync::OnceLock;

use crate::dictionary::Dictionary;

/// How much a name alone says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// Also an English word or a usual value (`find`, `sort`, `type`): its arguments must look like arguments.
    Word,
    /// Short, not a word (`ls`, `id`): may stand alone behind a separator.
    Short,
    /// Nothing but a program (`ifconfig`).
    Program,
}

/// Nothing but programs.
const PROGRAMS: &[&str] = &[
    ".databases",
    ".sh",
    ".shell",
    ".system",
    "aa-disable",
    "adduser",
    "ansible",
    "apt-get",
    "aptitude",
    "base32",
    "base64",
    "bcdboot",
    "bcdedit",
    "bitsadmin",
    "bsdtar",
    "bunzip2",
    "busybox",
    "bzip2",
    "cacls",
    "certutil",
    "cpulimit",
    "crontab",
    "cscli",
    "cscript",
    "dash",
    "diskpart",
    "dpkg",
    "egrep",
    "fgrep",
    "findstr",
    "fsutil",
    "gawk",
    "gcc",
    "gdb",
    "getent",
    "getfacl",
    "gunzip",
    "gzip",
    "hexdump",
    "hping3",
    "htop",
    "icacls",
    "ifconfig",
    "iex",
    "invoke-command",
    "invoke-expression",
    "invoke-restmethod",
    "invoke-webrequest",
    "iptables",
    "ipconfig",
    "iwmi",
    "iwr",
    "journalctl",
    "ksh",
    "lastlog",
    "lastlogin",
    "ldconfig",
    "lsb_release",
    "lsmod",
    "lsof",
    "lspci",
    "mkfifo",
    "mknod",
    "mksh",
    "mshta",
    "msiexec",
    "nawk",
    "ncat",
    "netcat",
    "netsh",
    "netstat",
    "nohup",
    "nslookup",
    "openssl",
    "passthru",
    "passwd",
    "pgrep",
    "php",
    "phpinfo",
    "ping6",
    "pip3",
    "pipx",
    "pkexec",
    "pkill",
    "powershell",
    "printenv",
    "psexec",
    "pwsh",
    "quser",
    "rcmd",
    "regedit",
    "regsvr32",
    "rlogin",
    "rmdir",
    "rsync",
    "rundll32",
    "schtasks",
    "scp",
    "setenv",
    "sftp",
    "shell_exec",
    "smbclient",
    "socat",
    "sqlite3",
    "ssh",
    "ssh-copy-id",
    "ssh-keygen",
    "strace",
    "stty",
    "sudo",
    "sysctl",
    "sysinfo",
    "systemctl",
    "systeminfo",
    "takeown",
    "tasklist",
    "taskkill",
    "tcpdump",
    "telnet",
    "tftp",
    "traceroute",
    "tracepath",
    "tracert",
    "tshark",
    "uconv",
    "uname",
    "useradd",
    "userdel",
    "usermod",
    "vimdiff",
    "visudo",
    "vssadmin",
    "wevtutil",
    "wget",
    "whoami",
    "wmic",
    "wscript",
    "xargs",
    "xterm",
    "xxd",
    "xzcat",
    "zcat",
    "zsh",
];
/// Short names that are no words.
const SHORTS: &[&str] = &[
    "apt", "awk", "c89", "c99", "cmd", "cp", "csh", "curl", "dir", "df", "du", "env", "ex", "grep", "icmp",
    "id", "ifup", "irb", "ln", "ls", "lua", "lz", "mv", "nc", "nl", "nmap", "npm", "od", "perl", "ping",
    "pip", "ps", "pwd", "rc", "rm", "rmt", "ruby", "sed", "sh", "bash", "tac", "tcsh", "tee", "vi", "vim",
    "wc", "yum", "chmod", "chown", "chgrp", "gem", "chroot", "cpio", "dmesg", "ftp", "jq", "killall",
    "lscpu", "calc", "notepad", "mkdir", "netcfg", "ntpdate", "readelf", "rpm", "ver", "w3m", "uptime",
    "xdg-open", "su",
];
/// Words too.
const WORDS: &[&str] = &[
    "alias", "ab", "arch", "arp", "as", "at", "attrib", "bridge", "cal", "call", "cancel", "cat", "cd",
    "chef", "column", "comm", "copy", "cut", "date", "del", "diff", "dig", "docker", "echo", "ed", "emacs",
    "erase", "eval", "exec", "exit", "expand", "export", "expr", "file", "find", "finger", "flock", "fmt",
    "fold", "free", "fuser", "git", "go", "groups", "halt", "head", "history", "host", "hostname", "info",
    "install", "ip", "java", "join", "kill", "last", "less", "locate", "logname", "mail", "make", "man",
    "more", "mount", "move", "mysql", "nano", "net", "net1", "nice", "node", "paste", "perf", "pic", "pico",
    "pr", "print", "printf", "psql", "python", "rd", "read", "reboot", "reg", "ren", "rename", "reset",
    "rev", "route", "script", "sc", "screen", "sendmail", "service", "set", "shred", "shutdown", "sleep",
    "sort", "source", "split", "start", "stat", "strings", "sum", "sync", "system", "tail", "tar", "time",
    "timeout", "top", "touch", "tr", "trap", "tree", "true", "type", "umount", "uniq", "unset", "unzip",
    "users", "view", "vol", "w", "watch", "whatis", "where", "whereis", "which", "who", "whois", "write",
    "xcopy", "yes", "zip", "false", "command", "assoc", "path", "cls", "test",
];
/// Commands of PowerShell; applications have actions and classes of these names too.
const CMDLETS: &[&str] = &[
    "add-content",
    "clear-content",
    "copy-item",
    "get-childitem",
    "get-ciminstance",
    "get-content",
    "get-item",
    "get-process",
    "get-service",
    "get-wmiobject",
    "invoke-item",
    "move-item",
    "new-item",
    "new-object",
    "out-file",
    "remove-item",
    "restart-computer",
    "set-content",
    "set-executionpolicy",
    "set-item",
    "set-mppreference",
    "start-bitstransfer",
    "start-job",
    "start-process",
    "start-service",
    "stop-computer",
    "stop-process",
    "stop-service",
];
/// What no command line has, and a sentence soon has.
const PROSE: &[&str] = &[
    "is", "the", "a", "an", "and", "or", "to", "of", "for", "in", "was", "are", "be", "it", "that", "this",
    "with", "as", "on", "by", "from", "not", "if", "when", "which", "we", "you", "i", "he", "she", "they",
    "will", "would", "should", "can", "could", "has", "have", "had", "but", "then", "so", "your", "my",
    "our", "their", "into", "at", "does", "do", "no", "there", "these", "also", "may", "its", "than",
    "about", "because", "were", "been",
];

fn base(name: &str) -> &str {
    let name = [".exe", ".com", ".bat", ".cmd"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let cut = name.trim_end_matches(|ch: char| ch.is_ascii_digit() || ch == '.');
    if cut.len() < 2 { name } else { cut }
}

fn exact(name: &str) -> Option<Strength> {
    static ALL: OnceLock<Dictionary<Strength>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let tables = [
            (WORDS, Strength::Word),
            (CMDLETS, Strength::Word),
            (SHORTS, Strength::Short),
            (PROGRAMS, Strength::Program),
        ];
        let words =
            tables.iter().flat_map(|&(table, strength)| table.iter().map(move |&name| (name, strength)));
        Dictionary::new(&words.collect())
    });
    all.get(name.as_bytes())
}

/// What is known of a program's name: lower case, without its directory.
pub(super) fn program(name: &str) -> Option<Strength> {
    if name.len() > 32 || name.is_empty() {
        return None;
    }
    exact(name).or_else(|| exact(base(name))).or_else(|| {
        // Tools come in families: `ansible-playbook`, `chef-run`, `rmt-tar`.
        let family = name.split_once('-')?.0;
        (matches!(
            family,
            "ansible" | "chef" | "rmt" | "pip" | "apt" | "docker" | "ssh" | "perf" | "systemd" | "update"
        ))
        .then_some(Strength::Program)
    })
}

/// Is `name`, in lower case, a command of PowerShell?
pub(super) fn is_cmdlet(name: &str) -> bool {
    CMDLETS.contains(&name)
}

/// Does a sentence have this word where a command would have an argument?
pub(super) fn is_prose(word: &str) -> bool {
    word.len() <= 8 && PROSE.iter().any(|known| word.eq_ignore_ascii_case(known))
}
