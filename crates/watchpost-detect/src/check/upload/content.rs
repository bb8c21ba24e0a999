//! What is in a file.

use std::ops::Range;
use std::sync::LazyLock;

use super::Upload;
use crate::decode::Present;
use crate::expression::Expression;

/// What a file is by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Picture,
    Document,
    Archive,
    Program,
    Script,
    Markup,
    Text,
}

/// Shapes of code that a server would run, each enough by itself.
static SHELL: LazyLock<Expression> = LazyLock::new(|| {
    Expression::new(
        r#"<\?(?:php|=)?[\s\S]*?(?:\b(?:eval|assert|system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec|create_function|call_user_func\w*|preg_replace|include\w*|require\w*|file_put_contents|move_uploaded_file|base64_decode|gzinflate|gzuncompress|str_rot13|phpinfo|fsockopen|unserialize|array_map|array_filter|extract|readfile|fwrite|copy)\s*\(|`[^`]{1,200}`|\$_(?:get|post|request|cookie|server|files)\s*\[|\$\w+\s*\(\s*\$)|<%@?[\s\S]*?(?:getruntime\s*\(|processbuilder|request\.(?:getparameter|item|form|querystring|binaryread|params)|request\s*[(\[]|\beval\s*\(?\s*request|wscript\.shell|createobject|server\.createobject|process\.start|processstartinfo|\bexecute\s*\(?\s*request|classloader|cmd\.exe|defineclass|system\.diagnostics|page\s+(?:language|import))|<jsp:(?:root|scriptlet|declaration)|<script[^>]{0,60}(?:runat\s*=\s*["']?server|language\s*=\s*["']?php)|<cf(?:execute|file|script|object|invoke)\b|\b(?:c99|r57|b374k|wso|china ?chopper|weevely|p0wny|filesman|antsword|behinder|godzilla)(?:sh|shell)?\b[\s\S]*?(?:shell|eval|password|\$_)|#!\s*/usr/(?:local/)?bin/(?:env\s+)?(?:perl|python|ruby)[\s\S]*?(?:cgi|query_string|param\s*\(|getvalue)[\s\S]*?(?:system|exec|popen|`)|\bimport\s+(?:os|subprocess|socket|pty)\b[\s\S]*?(?:request\.(?:args|form|get|params|values)|dup2|pty\.spawn|subprocess\.(?:call|popen)\s*\(\s*\[\s*["']/bin|os\.(?:system|popen)\s*\()|\b(?:addtype|addhandler|sethandler|forcetype)\s+[^\n]{0,60}(?:php|cgi|server-parsed|python|jsp)|php_(?:value|admin_value|flag)\s+\w|auto_(?:prepend|append)_file\s*=|<handlers\b[\s\S]*?<add\s|<system\.webserver>[\s\S]*?(?:<%|scriptprocessor|handlers)|bash\s+-i\s*>&|/dev/tcp/\d|nc\s+-e\s+/bin|new-object\s+(?:system\.)?net\.(?:sockets|webclient)|invoke-expression|\biex\s*\(|__halt_compiler\s*\(|require\s*\(\s*['"]child_process['"]\s*\)|<!--#(?:exec|include)\s"#,
    )
    .expect("tested")
});

static PHP_TAG: LazyLock<Expression> = LazyLock::new(|| {
    Expression::new(r"<\?(?:php\b|=|\s*(?:echo|eval|system)\b)|<%(?:@|=|\s*eval)|<script\b|<svg\s[^>]{0,60}onload|<\?\s*@?\w+\s*\(").expect("tested")
});

static SVG: LazyLock<Expression> = LazyLock::new(|| {
    Expression::new(r#"<(?:\w{1,10}:)?script\b|\bon(?:load|error|click|begin|end|mouse\w+|focus\w*|animation\w+|repeat)\s*=|javascript\s*:|<foreignobject\b|<(?:iframe|embed|object|handler|listener)\b|<!entity|<set\s[^>]{0,80}(?:attributename\s*=\s*["']?(?:on|href)|to\s*=)|<\?xml-stylesheet|xlink:href\s*=\s*["'](?:https?:|file:|data:(?:text|image/svg)|//|expect:|php:)|<image\s[^>]{0,80}href\s*=\s*["'](?:https?:|file:|text:|expect:)|url\s*\(\s*["']?(?:https?:|file:)"#).expect("tested")
});

/// A page that runs something for whoever opens it where it was uploaded.
static PAGE: LazyLock<Expression> = LazyLock::new(|| {
    Expression::new(r#"<script\b|<[a-z][^>]{0,200}[\s/"']on[a-z]{3,24}\s*=|javascript\s*:"#).expect("tested")
});

static PDF: LazyLock<Expression> = LazyLock::new(|| {
    Expression::new(r"/(?:javascript|js)\b|/launch\b|/openaction\s*<<[\s\S]*?/(?:uri|launch|js|submitform|gotor)|/aa\s*<<|/embeddedfile\b|/richmedia\b|/submitform\b|/gotor\b|/importdata\b").expect("tested")
});

static DELEGATE: LazyLock<Expression> = LazyLock::new(|| {
    Expression::new(r#"push\s+graphic-context|\b(?:fill|image\s+over)\s+[^\n]{0,40}(?:url\(|ephemeral:|msl:|label:@|text:)|ephemeral:|msl:|%pipe%|\(\s*%pipe|\bsystemdict\b[\s\S]*?\bputdeviceprops|%!ps[\s\S]*?(?:outputfile|\brestore\b|\bfile\b)|#extm3u[\s\S]*?(?:concat:|file:|subfile,|gopher:|data:|crypto)|^\s*[=+@-]\s*(?:cmd|dde|msexcel|mshta|powershell|rundll32|hyperlink\s*\(|webservice\s*\(|importxml\s*\()|[,;\n]["']?[=+@-](?:cmd\||dde\s*\(|msexcel\||hyperlink\s*\(\s*["']https?|webservice\s*\()|<hta:application|<registration[\s\S]*?<script|<scriptlet\b|\bwscript\.(?:shell|createobject)|activexobject|\bddeauto\b|\[internetshortcut\]|\[autorun\]|<!doctype\s[^>]{0,80}\[\s*<!entity"#).expect("tested")
});

fn find(expression: &Expression, text: &str) -> Option<Range<usize>> {
    expression.find(text, Present::of(text))
}

pub(super) fn web_shell(upload: &Upload<'_>) -> Option<Range<usize>> {
    find(&SHELL, &upload.content)
}

/// A picture or document that is also a script.
pub(super) fn polyglot(upload: &Upload<'_>) -> Option<Range<usize>> {
    let kind = kind(&upload.content);
    let ending = ending(&upload.name);
    let seems = matches!(kind, Kind::Picture | Kind::Document)
        || upload.declared.starts_with("image/")
        || is_picture(&ending)
        || matches!(ending.as_str(), "pdf" | "doc" | "docx");
    let is_svg = upload.declared.contains("svg") || ending == "svg" || upload.content.contains("<svg");
    if !seems || (is_svg && kind != Kind::Picture) {
        return None;
    }
    // Chance puts `<?=` into a long picture now and then; a tag that goes on with words does not happen.
    find(&PHP_TAG, &upload.content).filter(|found| found.len() > 3 || upload.content.len() < 4_096)
}

/// Content that acts when it is opened or converted.
pub(super) fn active(upload: &Upload<'_>) -> Option<Range<usize>> {
    let content = upload.content.as_ref();
    let ending = ending(&upload.name);
    let head = content.get(..content.len().min(2_048)).unwrap_or(content);
    if upload.declared.contains("svg") || ending == "svg" || ending == "svgz" || head.contains("<svg") {
        return find(&SVG, content);
    }
    if head.contains("%PDF-") || ending == "pdf" {
        return find(&PDF, content);
    }
    let is_page = matches!(ending.as_str(), "html" | "htm" | "xhtml" | "shtml" | "mht" | "mhtml")
        || upload.declared.starts_with("text/html");
    if is_page && let Some(found) = find(&PAGE, content) {
        return Some(found);
    }
    find(&DELEGATE, content)
}

/// Content that cannot be what its name and declared type say.
pub(super) fn mismatch(upload: &Upload<'_>) -> Option<Range<usize>> {
    let kind = kind(&upload.content);
    let ending = ending(&upload.name);
    let says_picture =
        (upload.declared.starts_with("image/") && !upload.declared.contains("svg")) || is_picture(&ending);
    let says_document =
        matches!(ending.as_str(), "pdf" | "doc" | "docx" | "xls" | "xlsx" | "ppt" | "pptx" | "odt")
            || upload.declared == "application/pdf";
    let says_text = matches!(ending.as_str(), "txt" | "csv" | "json" | "md" | "log")
        || upload.declared.starts_with("text/");
    let says_media = upload.declared.starts_with("audio/")
        || upload.declared.starts_with("video/")
        || matches!(ending.as_str(), "mp3" | "mp4" | "avi" | "mov" | "wav");
    let says_script = super::name::runs(&upload.name);
    let is_wrong = match kind {
        Kind::Program => says_picture || says_document || says_text || says_media,
        Kind::Script | Kind::Markup => says_picture || says_document || says_media,
        Kind::Archive => says_picture || upload.declared.starts_with("image/"),
        Kind::Document => says_picture,
        Kind::Picture => says_script,
        Kind::Text => {
            says_script && (upload.declared.starts_with("image/") || upload.declared == "application/pdf")
        }
    };
    // Macros under the type of a document without any: what filters by type lets pass.
    let hides_macros =
        matches!(ending.as_str(), "docm" | "dotm" | "xlsm" | "xltm" | "xlam" | "pptm" | "potm" | "ppsm")
            && (upload.declared.contains("msword")
                || upload.declared.contains("officedocument")
                || (upload.declared.contains("ms-excel") || upload.declared.contains("ms-powerpoint"))
                    && !upload.declared.contains("macroenabled"));
    let is_wrong = is_wrong || hides_macros;
    is_wrong.then(|| 0..upload.content.char_indices().nth(16).map_or(upload.content.len(), |(at, _)| at))
}

/// The last ending of a name, lower case.
fn ending(name: &str) -> String {
    name.rsplit_once('.').map_or_else(String::new, |(_, end)| end.trim().to_ascii_lowercase())
}

fn is_picture(ending: &str) -> bool {
    matches!(ending, "jpg" | "jpeg" | "png" | "gif" | "bmp" | "webp" | "ico" | "tif" | "tiff")
}

/// Compares as bytes: a byte that was no text is its Latin-1 character or the sign for what could not be read.
pub(super) fn starts_with(text: &str, magic: &[u8]) -> bool {
    let mut chars = text.chars();
    magic.iter().all(|byte| {
        chars
            .next()
            .is_some_and(|ch| u32::from(ch) == u32::from(*byte) || (*byte >= 0x80 && ch == '\u{fffd}'))
    })
}

fn kind(content: &str) -> Kind {
    const MAGIC: &[(&[u8], Kind)] = &[
        (b"\x89PNG", Kind::Picture),
        (b"\xff\xd8\xff", Kind::Picture),
        (b"GIF8", Kind::Picture),
        (b"BM\x00", Kind::Picture),
        (b"II*\x00", Kind::Picture),
        (b"MM\x00*", Kind::Picture),
        (b"%PDF", Kind::Document),
        (b"\xd0\xcf\x11\xe0", Kind::Document),
        (b"{\\rtf", Kind::Document),
        (b"PK\x03\x04", Kind::Archive),
        (b"PK\x05\x06", Kind::Archive),
        (b"\x1f\x8b\x08", Kind::Archive),
        (b"Rar!", Kind::Archive),
        (b"7z\xbc\xaf", Kind::Archive),
        (b"BZh", Kind::Archive),
        (b"\x7fELF", Kind::Program),
        (b"MZ\x90", Kind::Program),
        (b"MZP", Kind::Program),
        (b"MZ\x00", Kind::Program),
        (b"\xca\xfe\xba\xbe", Kind::Program),
        (b"\xcf\xfa\xed\xfe", Kind::Program),
        (b"\xfe\xed\xfa", Kind::Program),
        (b"#!/", Kind::Script),
        (b"#! /", Kind::Script),
        (b"@echo off", Kind::Script),
    ];
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| starts_with(content, magic)) {
        return *kind;
    }
    if content.starts_with("MZ") && content.contains("DOS mode") {
        return Kind::Program;
    }
    let start: String = content
        .trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t'])
        .chars()
        .take(16)
        .collect::<String>()
        .to_ascii_lowercase();
    if ["<?php", "<?=", "<%", "<jsp:"].iter().any(|tag| start.starts_with(tag)) {
        Kind::Script
    } else if ["<html", "<!doctype", "<script", "<body", "<head", "<svg", "<iframe", "<img"]
        .iter()
        .any(|tag| start.starts_with(tag))
    {
        Kind::Markup
    } else {
        Kind::Text
    }
}
