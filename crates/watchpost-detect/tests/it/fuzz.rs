//! The corpus of the fuzz targets, altered from fixed seeds: nothing panics, and equal inputs get equal answers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use watchpost_detect::{RuleFile, RuleSet, inspect_request, inspect_value};

/// A generator with a fixed seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n.max(1) as u64).unwrap_or(0)
    }

    /// `input` after a few accidents: bytes changed, cut out, doubled, marks and pieces of `other` put in.
    fn alter(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        const MARKS: &[u8] = b"'\"`%\\&#;()<>{}[]$|/*+-=.:,@\r\n\t \0\xff\xc0AaeE0";
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len() + 1);
            let end = (at + self.below(24)).min(bytes.len());
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] = self.below(256) as u8,
                1 => drop(bytes.drain(at..end)),
                2 => bytes.insert(at, MARKS[self.below(MARKS.len())]),
                3 => {
                    let run = bytes[at..end].repeat(1 + self.below(20));
                    bytes.splice(at..at, run);
                }
                4 => bytes.truncate(at.max(1)),
                _ => {
                    let from = self.below(other.len());
                    let to = (from + self.below(64)).min(other.len());
                    bytes.splice(at..at, other[from..to].iter().copied());
                }
            }
        }
        bytes.truncate(4_096);
        bytes
    }
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} holds something", folder.display());
    paths.iter().map(|path| fs::read(path).expect("a readable file")).collect()
}

/// Every input as it is, then `n` altered ones.
fn each_altered(target: &str, n: usize, mut each: impl FnMut(&[u8])) {
    let all = corpus(target);
    all.iter().for_each(|input| each(input));
    let mut random = Random(0x5741_5443_4850_4f53);
    for _ in 0..n {
        let (input, other) = (random.below(all.len()), random.below(all.len()));
        let altered = random.alter(&all[input], &all[other]);
        each(&altered);
    }
}

#[test]
fn altered_values_make_nothing_panic_and_get_one_answer() {
    each_altered("value", 1_500, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let verdict = inspect_value(&text);
        assert_eq!(verdict, inspect_value(&text), "{text:?}");
        for layer in
            verdict.findings.iter().flat_map(|found| &found.matched).flat_map(|matched| &matched.layers)
        {
            if let Some((start, end)) = layer.span {
                assert!(start <= end && end as usize <= layer.text.chars().count(), "{text:?}: {layer:?}");
            }
        }
    });
}

#[test]
fn altered_requests_make_nothing_panic_and_get_one_answer() {
    each_altered("request", 600, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let (method, uri) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or(("GET", "/"));
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect();
        let look = || inspect_request(method, uri, &headers, (!body.is_empty()).then_some(body));
        assert_eq!(look(), look(), "{text:?}");
    });
}

#[test]
fn altered_tokens_make_nothing_panic_and_get_one_answer() {
    let tokens = [include_str!("keys/p256.jwt"), include_str!("keys/rsa.jwt")];
    let mut random = Random(11);
    for nth in 0..300 {
        let (token, other) = (tokens[nth % 2].trim(), tokens[(nth + 1) % 2].trim());
        let altered = random.alter(token.as_bytes(), other.as_bytes());
        let header = format!("Bearer {}", String::from_utf8_lossy(&altered));
        let headers: BTreeMap<String, String> = [("authorization".to_owned(), header.clone())].into();
        let look = || inspect_request("GET", "/", &headers, None);
        assert_eq!(look(), look(), "{header:?}");
    }
}

#[test]
fn altered_uploads_make_nothing_panic_and_get_one_answer() {
    let headers: BTreeMap<String, String> =
        [("content-type".to_owned(), "multipart/form-data; boundary=x".to_owned())].into();
    each_altered("upload", 800, |bytes| {
        let content: String = bytes.iter().copied().map(char::from).collect();
        let (name, content) = content.split_once('\n').unwrap_or(("a.zip", &content));
        let body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n\r\n{content}\r\n--x--\r\n"
        );
        let look = || inspect_request("POST", "/upload", &headers, Some(&body));
        assert_eq!(look(), look(), "{body:?}");
    });
}

#[test]
fn altered_rule_files_make_nothing_panic_and_are_told_of() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/jwt.yml");
    let rules = fs::read(&rules).expect("rules that ship");
    let mut random = Random(23);
    // The first rules of the file are enough, under ids of their own.
    let start = &rules[..rules.len().min(3_000)];
    let files: Vec<RuleFile> = (0..40)
        .map(|nth| {
            let altered = random.alter(start, b"&a *a !!binary x: [{- |\n  >\n? : %YAML --- ... \t");
            let text = String::from_utf8_lossy(&altered).replace("wp.", &format!("own{nth}."));
            RuleFile { name: format!("{nth}.yml"), text }
        })
        .collect();
    let load = || RuleSet::load(&files, &BTreeMap::new());
    let (first, second) = (load(), load());
    assert_eq!(first.problems(), second.problems());
    assert!(!first.problems().is_empty(), "some of the files are broken");
    assert!(first.rules().len() >= RuleSet::embedded().rules().len(), "the rules that ship stay");
}

/// What attackers fill bodies with must cost no more for each byte when there is more of it. Time is not measured: a
/// quadratic reader would take minutes here.
#[test]
fn bodies_of_one_piece_repeated_are_read_to_the_end() {
    let headers: BTreeMap<String, String> = [("content-type".to_owned(), "text/plain".to_owned())].into();
    for piece in ["\n", "\r\n ", "%0a", "\\n", "' or (", "$(", "{{", "<a <", "((((", "/*", "&#x41;"] {
        let body = format!("{} <script>alert(1)</script>", piece.repeat(1_000_000 / piece.len()));
        let verdict = inspect_request("POST", "/x", &headers, Some(&body));
        assert_eq!(verdict, inspect_request("POST", "/x", &headers, Some(&body)), "{piece:?}");
    }
}
