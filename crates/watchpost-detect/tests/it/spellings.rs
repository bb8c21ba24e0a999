//! Addresses in every spelling: what is asked for as a URL, and what only looks like it.

use std::collections::BTreeMap;

use watchpost_detect::inspect_request;

use crate::support::percent;

fn families(name: &str, value: &str) -> Vec<&'static str> {
    let headers: BTreeMap<String, String> = [("Host".to_owned(), "app.example.org".to_owned())].into();
    let verdict = inspect_request("GET", &format!("/fetch?{name}={}", percent(value)), &headers, None);
    verdict.categories.iter().map(|family| family.as_str()).collect()
}

/// Whole URLs that lead inside, in any parameter.
const URLS: &[&str] = &[
    "http://127.0.0.1/",
    "http://127.0.0.1:22/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0177.0.0.1/",
    "http://0177.0.0.01/",
    "http://0x7f.1/",
    "http://0x7f.0.0.1/",
    "http://127.0.0.1./",
    "http://127.000.000.001/",
    "http://0x0000007f.1/",
    "http://00000177.0x0.1/",
    "http://3232235777/",
    "http://0xc0a80101/",
    "http://0300.0250.01.01/",
    "http://192.168.257/",
    "http://10.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://100.64.0.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[0000::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::10.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1%25eth0]/",
    "http://[fc00::1]/",
    "http://[fd12:3456::1]/",
    "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/",
    "http://localhost/",
    "http://LOCALHOST:8080/",
    "http://localhost./",
    "http://localhost.localdomain/",
    "http://a.localhost/",
    "http://ip6-localhost/",
    "http://localtest.me/",
    "http://a.b.localtest.me/",
    "http://lvh.me/",
    "http://127.0.0.1.nip.io/",
    "http://app-127-0-0-1.nip.io/",
    "http://7f000001.nip.io/",
    "http://10.0.0.1.sslip.io/",
    "http://169.254.169.254.nip.io/",
    "http://\u{2460}\u{2461}\u{2466}.\u{24ea}.\u{24ea}.\u{2460}/",
    "http://\u{24db}\u{24de}\u{24d2}\u{24d0}\u{24db}\u{24d7}\u{24de}\u{24e2}\u{24e3}/",
    "http://127\u{3002}0\u{3002}0\u{3002}1/",
    "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
    "http://\u{1d7cf}\u{1d7d0}\u{1d7d5}.0.0.1/",
    "http://example.org@127.0.0.1/",
    "http://example.org:80@127.0.0.1/",
    "http://127.0.0.1@example.org/",
    "http://1.1.1.1 &@2.2.2.2# @127.0.0.1/",
    "http://example.org#@127.0.0.1/",
    "http:\\\\127.0.0.1/",
    "http:127.0.0.1/",
    "http:///127.0.0.1/",
    "HTTP://127.0.0.1",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xA9FEA9FE/",
    "http://0251.0376.0251.0376/",
    "http://425.510.425.510/",
    "http://7147006462/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[fd00:ec2::254]/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://metadata/computeMetadata/",
    "http://100.100.100.200/latest/meta-data/",
    "http://192.0.0.192/latest/",
    "http://169.254.170.2/v2/credentials",
    "http://instance-data/latest/",
    "http://rancher-metadata/",
    "http://168.63.129.16/",
    "http://host.docker.internal:2375/",
    "http://kubernetes.default.svc/",
    "http://vault.service.consul/",
    "gopher://127.0.0.1:6379/_x",
    "dict://x.example:11211/",
    "ldap://x.example/",
    "tftp://x.example/a",
    "jar:http://x.example/a!/",
    "netdoc:///etc/hosts",
    "http://abc.oastify.com/",
    "http://x.burpcollaborator.net",
    "https://abc.oast.fun/x",
    "http://spoofed.burpcollaborator.net/",
    "http://1.1.1.1.1u.ms/",
    "url:file:///etc/hosts",
    "http://0o177.0.0.1/",
    "http://127.0.0.1%00.example.org/",
];

/// Hosts without a scheme, where the parameter's name says that the server fetches.
const HOSTS: &[(&str, &str)] = &[
    ("url", "localhost/"),
    ("url", "127.0.0.1:8080/admin"),
    ("host", "127.0.0.1"),
    ("webhook_url", "10.0.0.5/hook"),
    ("callback", "//localhost/x"),
    ("target", "0x7f000001"),
    ("dest", "2130706433"),
    ("image_url", "169.254.169.254/latest/"),
    ("proxy", "[::1]:3128"),
    ("server", "localhost6"),
    ("uri", "file:///etc/hostname"),
    ("feedUrl", "ftp://10.0.0.1/"),
    ("x", "169.254.169.254/latest/meta-data"),
    ("site", "lvh.me"),
    ("endpoint", "//169.254.169.254/"),
    ("url", "http://corp/"),
    ("webhook", "https://build-7:8080/job"),
    ("url", "http://a@corp/"),
    ("url", "http://a:b@corp:8080/"),
    ("url", "http://corp./"),
    ("url", "http://corp.:80/"),
    ("url", "http://corp#x"),
    ("url", "http://corp?x"),
    ("url", "//corp/x"),
    ("url", "http:/corp/"),
    ("url", "http:///corp/"),
    ("url", "http:\\\\corp\\"),
    ("url", "http://co\trp/"),
    ("url", "ht\ttp://corp/"),
    ("url", "http:\t//corp/"),
    ("url", "ws://corp/"),
    ("url", "WSS://CORP/"),
    ("url", "ftp://corp/"),
    ("url", "ftp://files.corp/"),
    ("url", "sftp://10.0.0.1/"),
];

const LOOK_ALIKES: &[(&str, &str)] = &[
    ("q", "127.0.0.1"),
    ("q", "localhost"),
    ("version", "10.0.0.1"),
    ("id", "2130706433"),
    ("ts", "1700000000"),
    ("page", "127"),
    ("q", "169.254.169.254"),
    ("q", "what is 127.0.0.1?"),
    ("q", "run it on localhost:3000 please"),
    ("url", "https://example.org/"),
    ("url", "https://example.org/?ip=127.0.0.1"),
    ("url", "https://example.org/127.0.0.1"),
    ("url", "https://localhost.example.org/"),
    ("url", "https://mylocalhost.com/"),
    ("url", "http://172.32.0.1/"),
    ("url", "http://172.15.0.1/"),
    ("url", "http://11.0.0.1/"),
    ("url", "http://192.169.0.1/"),
    ("url", "http://8.8.8.8/"),
    ("url", "http://1.1.1.1.nip.io/"),
    ("url", "http://[2606:4700::1111]/"),
    ("url", "http://169.255.169.254/"),
    ("url", "http://128.0.0.1/"),
    ("url", "http://134744072/"),
    ("url", "https://internal.example.org/"),
    ("url", "https://metadata.example.org/"),
    ("url", "https://medium.com/@user/post"),
    ("url", "https://user:pw@example.org/"),
    ("callback", "jQuery_123"),
    ("host", "www.example.org"),
    ("source", "internal"),
    ("site", "corp"),
    ("target", "_blank"),
    ("src", "newsletter"),
    ("link", "home"),
    ("redirect_uri", "http://127.0.0.1:51004/callback"),
    ("redirect_uri", "http://localhost:8080/cb"),
    ("q", "http response codes"),
    ("email", "root@localhost"),
    ("time", "12:30"),
    ("url", "mailto:a@example.org"),
    ("url", "/local/path"),
    ("q", "std::net::Ipv4Addr"),
    ("url", "https://cdn.example.net/img@2x.png"),
    ("q", "C:\\Users\\a"),
    ("range", "10.0-20.5"),
    ("url", "https://www.toast.me/"),
    ("url", "https://example.org/a:b"),
    ("q", "::1"),
    ("phone", "0177 0001"),
    ("q", "http://corp/"),
    ("url", "https://example/"),
    ("url", "see http://corp/ for more"),
    ("url", "http://corp@example.org/"),
    ("url", "https://example.org./"),
    ("url", "http://example.org#corp"),
    ("image_url", "//images/logo.png"),
    ("source", "//depot/main/a"),
    ("q", "//corp/x"),
    ("source", "// copied from elsewhere"),
    ("url", "http: //corp/"),
    ("url", "http://corp and others"),
    ("url", "ftp://ftp.gnu.org/gnu/emacs/"),
    ("url", "ftp://ftp.gnu.org:21/gnu/emacs/"),
    ("mirror_url", "ftp://ftp.example.org/pub/"),
    ("url", "sftp://files.example.org/in/"),
];

#[test]
fn every_spelling_of_an_inside_address_is_seen() {
    let missed: Vec<String> = URLS
        .iter()
        .map(|url| ("q", *url))
        .chain(URLS.iter().map(|url| ("url", *url)))
        .chain(HOSTS.iter().copied())
        .filter(|(name, value)| !families(name, value).contains(&"ssrf"))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert!(URLS.len() >= 60, "a catalogue, not a sample");
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn look_alikes_are_left_alone() {
    let flagged: Vec<String> = LOOK_ALIKES
        .iter()
        .filter(|(name, value)| {
            families(name, value).iter().any(|family| matches!(*family, "ssrf" | "rfi" | "redirect"))
        })
        .map(|(name, value)| format!("{name}={value}: {:?}", families(name, value)))
        .collect();
    assert!(LOOK_ALIKES.len() >= 40, "a catalogue, not a sample");
    assert!(flagged.is_empty(), "{} flagged:\n{}", flagged.len(), flagged.join("\n"));
}
