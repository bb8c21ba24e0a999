//! The rules that ship; `rules/` of this crate, compiled in.

macro_rules! files {
    ($($name:literal),+ $(,)?) => { &[$(($name, include_str!(concat!("../../rules/", $name)))),+] };
}

/// Name and text, in the order in which rules are listed.
pub(super) const FILES: &[(&str, &str)] = files![
    "sqli.yml",
    "xss.yml",
    "traversal.yml",
    "cmdi.yml",
    "scanner.yml",
    "nosqli.yml",
    "rfi.yml",
    "ssti.yml",
    "php.yml",
    "java.yml",
    "deserialization.yml",
    "xxe.yml",
    "ldap.yml",
    "ssrf.yml",
    "csrf.yml",
    "header.yml",
    "redirect.yml",
    "jwt.yml",
    "upload.yml",
    "leak.yml",
    "behaviours.yml"
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_of_the_directory_is_compiled_in() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let there: BTreeSet<String> = std::fs::read_dir(&directory)
            .expect("the rules are in the crate")
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        let here: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(there, here);
    }
}
