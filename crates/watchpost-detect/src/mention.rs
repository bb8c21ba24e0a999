//! Names of programs in sentences: people who write about programs write them too.

use std::ops::Range;

/// Longer texts are not looked at: what is said in them in between cannot be told by a few words.
const BYTES_MAX: usize = 16 << 10;
/// Words that a sentence has at least, beside the names.
const WORDS_MIN: usize = 6;

/// Is what matched only named in a sentence: a call without arguments, a variable or a tag by itself, between words,
/// with nothing in the whole text that a program would do?
pub(crate) fn is_mention(text: &str, span: &Range<usize>) -> bool {
    let Some(matched) = text.get(span.clone()) else { return false };
    // What matched may take the mark after the name with it.
    if text.len() > BYTES_MAX || !is_name(matched.trim_end_matches([' ', ',', '.'])) {
        return false;
    }
    let (mut n_words, mut n_names) = (0, 0);
    for token in text.split_whitespace() {
        let bare = token.trim_matches(['.', ',', ':', '!', '?', '`', '\'', '"', ')', '(']);
        let opens = token.trim_matches(['.', ',', ':', '!', '?', '`', '\'', '"']);
        if bare.chars().all(|ch| ch.is_alphanumeric() || ch == '-') {
            n_words += usize::from(bare.len() > 1 && bare.chars().all(char::is_alphabetic));
        } else if is_name(opens) {
            n_names += 1;
        } else {
            return false;
        }
    }
    n_words >= WORDS_MIN && n_words >= 2 * n_names
}

/// `file_get_contents()`, `$_GET`, `<?php`, `array_map`: nothing that does anything by itself.
fn is_name(token: &str) -> bool {
    let token = token.strip_suffix("()").unwrap_or(token);
    let token = token.strip_prefix("<?").or_else(|| token.strip_prefix('$')).unwrap_or(token);
    !token.is_empty() && token.chars().all(|ch| ch.is_alphanumeric() || matches!(ch, '_' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::is_mention;

    #[track_caller]
    fn check(text: &str, matched: &str, expect: bool) {
        let start = text.find(matched).expect("it is in the text");
        assert_eq!(is_mention(text, &(start..start + matched.len())), expect, "{text}");
    }

    #[test]
    fn sentences_name_and_programs_do() {
        for (text, matched) in [
            ("Replace file_get_contents() by a client of our own in the importer", "file_get_contents()"),
            ("Fix: $_GET is not set when `phpinfo()` is called, see the <?php tag there", "$_GET"),
            (
                "We no longer call shell_exec() or proc_open(), says the new page (for operators).",
                "shell_exec()",
            ),
        ] {
            check(text, matched, true);
        }
        for (text, matched) in [
            ("phpinfo()", "phpinfo()"),
            ("please call phpinfo() for me", "phpinfo()"),
            ("a lot of words that mean nothing to a parser; phpinfo();", "phpinfo()"),
            ("a lot of words that mean nothing and then shell_exec('id') at the end", "shell_exec('id')"),
            ("first phpinfo() is named and then comes system(id) with all of its words", "phpinfo()"),
            ("a lot of words before it and <?php echo $_GET[x] behind all of them", "$_GET"),
            ("a lot of words before it and then ${phpinfo()} behind all of them", "phpinfo()"),
        ] {
            check(text, matched, false);
        }
    }
}
