//! Commands of SMTP, IMAP and POP3, as they are smuggled behind a line break.

/// Longest command that is read.
const LINE_BYTES_MAX: usize = 160;

/// A command of a mail protocol at `start`.
pub(super) fn command(text: &str, start: usize) -> Option<usize> {
    // The separator before the last line break of a run is as good as the first.
    let line = text.get(start..)?;
    if line.starts_with(['\r', '\n']) {
        return None;
    }
    let cut = (0..=line.len().min(LINE_BYTES_MAX)).rev().find(|&at| line.is_char_boundary(at)).unwrap_or(0);
    let line = line[..cut].split(['\r', '\n']).next().unwrap_or("");
    let mut words = line.split(' ');
    let (first, second, third) = (words.next()?, words.next().unwrap_or(""), words.next().unwrap_or(""));
    let is_number =
        |word: &str| !word.is_empty() && word.len() <= 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_tag = first.len() >= 2
        && first.len() <= 6
        && first.as_bytes()[0].is_ascii_alphabetic()
        && is_number(&first[1..]);
    let upper = |word: &str| word.to_ascii_uppercase();
    let is_smtp = match upper(first).as_str() {
        "MAIL" => upper(second).starts_with("FROM:"),
        "RCPT" => upper(second).starts_with("TO:"),
        "EHLO" | "HELO" => first == upper(first) && second.contains('.') && third.is_empty(),
        "AUTH" => first == upper(first) && !second.is_empty() && third.len() >= 8,
        "APOP" => third.len() >= 16,
        "RETR" | "DELE" | "UIDL" => is_number(second) && third.is_empty(),
        "LIST" => is_number(second) && third.is_empty() && first.len() + second.len() + 1 == line.len(),
        "TOP" => is_number(second) && is_number(third) && first == upper(first),
        "VRFY" | "EXPN" => first == upper(first) && !second.is_empty() && third.is_empty(),
        _ => false,
    };
    let is_imap = is_tag
        && matches!(
            upper(second).as_str(),
            "APPEND"
                | "AUTHENTICATE"
                | "CAPABILITY"
                | "CREATE"
                | "DELETE"
                | "EXAMINE"
                | "FETCH"
                | "LOGIN"
                | "LOGOUT"
                | "RENAME"
                | "SEARCH"
                | "SELECT"
                | "STATUS"
                | "STORE"
                | "SUBSCRIBE"
                | "UID"
                | "UNSUBSCRIBE"
        );
    (is_smtp || is_imap).then(|| start + line.len().min(text.len() - start))
}
