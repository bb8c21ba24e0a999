//! Statements of `cmd.exe`: `for %i in (...) do ...`, `if exist x ...`, `if a==b ...`.

/// The statement at `start`: the byte after what shows it.
pub(super) fn statement(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let trimmed = rest.trim_start_matches([' ', '\t', '(', '@']);
    let offset = start + rest.len() - trimmed.len();
    let head = trimmed.get(..3).or_else(|| trimmed.get(..2))?.as_bytes();
    let is_for = head.len() == 3 && head.eq_ignore_ascii_case(b"for");
    let is_if = head[..2].eq_ignore_ascii_case(b"if");
    if !is_for && !is_if {
        return None;
    }
    let cut = (0..=trimmed.len().min(240)).rev().find(|&at| trimmed.is_char_boundary(at)).unwrap_or(0);
    let words: Vec<&str> = trimmed[..cut].split_ascii_whitespace().take(24).collect();
    let is_statement = if is_for { for_loop(&words) } else { condition(&words) };
    is_statement.then_some(offset + cut)
}

fn is(word: &str, known: &[&str]) -> bool {
    known.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// `for [/d|/r|/l|/f [options]] %x in (`.
fn for_loop(words: &[&str]) -> bool {
    if !words.first().is_some_and(|word| word.eq_ignore_ascii_case("for")) {
        return false;
    }
    let Some(variable) = words.iter().take(16).position(|word| word.starts_with('%') && word.len() <= 12)
    else {
        return false;
    };
    words.get(variable + 1).is_some_and(|word| is(word, &["in"]))
        && words.get(variable + 2).is_some_and(|word| word.starts_with('('))
        || words[variable..].windows(2).any(|pair| is(pair[0], &["in"]) && pair[1].starts_with('('))
            && (variable == 1 || words[1].starts_with('/'))
}

/// `if [/i] [not] exist x y`, `if [/i] [not] a==b y`, `if a equ b y`.
fn condition(words: &[&str]) -> bool {
    let Some(first) = words.first() else { return false };
    let mut at = match *first {
        word if is(word, &["if"]) => 1,
        word if is(word, &["if/i"]) => 2,
        _ => return false,
    };
    let mut is_marked = at == 2;
    at = 1;
    while words.get(at).is_some_and(|word| is(word, &["/i", "not"])) {
        is_marked |= words[at] == "/i" || words[at] == "/I";
        at += 1;
    }
    let Some(&left) = words.get(at) else { return false };
    let next = words.get(at + 1).copied().unwrap_or("");
    let has_action = words.len() > at + 2;
    if is(left, &["exist"]) {
        return has_action
            && (next.contains(['.', '\\', '"', '%', '('])
                || words.get(at + 2).is_some_and(|word| is_action(word)));
    }
    if is(left, &["defined", "errorlevel", "cmdextversion"]) {
        return has_action && words.get(at + 2).is_some_and(|word| is_action(word) || word.starts_with('('));
    }
    let is_code = |word: &str| word.ends_with(['{', ':', ';']) || word.contains("&&") || word.contains("||");
    // `a==b` in one piece, or as three.
    let glued = words.get(at..).into_iter().flatten().take(4).position(|word| word.contains("=="));
    if let Some(n) = glued
        && n <= 3
        && !words[at..].iter().take(n + 4).any(|word| is_code(word))
    {
        let is_dressed =
            left.starts_with(['"', '%', '[', '{', '(', '!']) || is_marked || words[at + n] != "==";
        return is_dressed && (words.len() > at + n + 1 || is_marked) && !left.contains("(self");
    }
    let compared = words
        .get(at..)
        .into_iter()
        .flatten()
        .take(4)
        .position(|word| is(word, &["equ", "neq", "lss", "leq", "gtr", "geq"]));
    compared.is_some_and(|n| n > 0 && words.len() > at + n + 2)
}

fn is_action(word: &str) -> bool {
    let word = word.trim_start_matches(['(', '@']);
    is(
        word,
        &[
            "echo",
            "goto",
            "set",
            "call",
            "cmd",
            "del",
            "copy",
            "start",
            "exit",
            "type",
            "rd",
            "md",
            "if",
            "for",
            "cd",
            "move",
            "powershell",
            "not",
            "abc",
        ],
    )
}
