//! External entities, entity bombs, and code in XML.

use super::Matcher::Regex;
use super::signatures;
use crate::rule::Sample::Value;

signatures! {
    XXE, Xxe, attack: &["T1190", "T1083"], owasp: Some("A02:2025");

    "wp.xxe.entity" v 1, "Entity declaration in XML", Critical 94, Any, gate &["<!entity", "<!doctype", "<!element", "<!attlist", "<!notation", "doctype", "<\0!"],
        Regex(r#"<!\s*entity\s+(?:%\s*)?[\w:.&;\#-]+\s+(?:system|public|["'])|<!\s*doctype\s+[^\s>\[]+\s*\[|<!\s*doctype\s+[^\s>\[]+\s+(?:[^>\[]{0,200}\[\s*<!|system\s*["'])|<!\s*doctype\s+[^\s>\[]+\s+public\s+["'](?:[^-"'+][^"']*)?["']\s+["']|<!\s*doctype\s+\S+\s+public\s+["'][^"']*["']\s+["'](?:file|ftp|php|jar|gopher|netdoc|expect|data|ldap|\\\\)|<!\s*(?:element|attlist|notation)\s+\S+\s+\S|<!\s*entity\s+%\s+\w"#),
        fires [Value("<!DOCTYPE foo [<!ENTITY xxe SYSTEM \"file:///etc/hosts\">]>"), Value("<!DOCTYPE r SYSTEM \"http://x.example/a.dtd\">"), Value("<!ENTITY % p SYSTEM \"http://x.example/a\">"), Value("<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]>")],
        near [Value("<!DOCTYPE html>"), Value("<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">"), Value("an entity system"), Value("<!-- doctype -->")];
    "wp.xxe.include" v 1, "Inclusion or style sheet that reads files", High 88, Any, gate &["xinclude", "xi:", "xsl:", "xml-stylesheet", "expect://", "schemalocation", "php:function", "exsl", "redirect:write", "xlink:href"],
        Regex(r#"<xi:(?:include|fallback)\b|xmlns:xi\s*=\s*["']http://www\.w3\.org/2001/xinclude|<xsl:(?:stylesheet|copy-of|value-of|include|import|template|variable|output|result-document)\s[^>]{0,300}(?:select|href|match|version|name)\s*=|<\?xml-stylesheet\s+[^>]*href\s*=|\bphp:function(?:string)?\s*\(|schemalocation\s*=\s*["'][^"']*(?:file|ftp|gopher|netdoc|jar):|\bxlink:href\s*=\s*["'](?:expect|file|php|ftp|jar|text):|<(?:exsl:document|redirect:write)\b"#),
        fires [Value("<xi:include parse=\"text\" href=\"file:///x\"/>"), Value("<foo xmlns:xi=\"http://www.w3.org/2001/XInclude\">"), Value("<xsl:copy-of select=\"document('/x')\"/>"), Value("<image xlink:href=\"expect://ls\">")],
        near [Value("xi: the letter"), Value("XInclude is a standard"), Value("<use xlink:href=\"#icon\"/>")];
    "wp.xxe.encoded" v 1, "XML in an encoding that hides it", High 88, Any, gate &["adw", "utf-7", "utf-16", "<\0", "\0<"],
        Regex(r#"\+adw-?\S{0,3}(?:\+aci|aciq?-|doctype|entity|\?xml|aeuatg|acEaRABPAEMA|script)|<\?xml[^>]{0,80}encoding\s*=\s*["']?(?:utf-7|utf-16(?:le|be)?|utf-32|ibm037|cp037|ebcdic[\w-]*)|<\x00[!?]\x00"#),
        fires [Value("+ADw-!DOCTYPE foo+AFs-"), Value("<?xml version=\"1.0\" encoding=\"UTF-7\"?>"), Value("<?xml version='1.0' encoding='UTF-16BE'?>")],
        near [Value("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"), Value("utf-7 is old"), Value("shadw")];
    "wp.xxe.xpath" v 1, "XPath expression in a value", High 84, Any, gate &["::", "name()", "count(", "/*", "text()", "position()", "comment()", "string-length(", "doc(", "//user", "]|", "] |", "name(", "contains(", "substring(", "starts-with(", "normalize-space(", "//*"],
        Regex(r#"\b(?:child|parent|descendant|ancestor|following|preceding|attribute|self)(?:-or-self|-sibling)?::(?:node\(\)|text\(\)|\*|\w+)|['"]\s*or\s+(?:name|text|count|position|contains|starts-with|string-length|substring)\([^)]{0,40}\)|\bcount\s*\(\s*(?:/|\.\.)|\b(?:substring|string-length|name|normalize-space)\s*\(\s*(?:/\*?|\.\.)(?:[^)]{0,20}\))?|/\*\[\d+\]|\]\s*\|\s*//?[\w*]+|//(?:user|users|employee|account|node)s?\s*(?:/|\[)\s*\w+\s*(?:\(\)|[=\[\]])|\bdoc\s*\(\s*(?:concat|['"]https?:)"#),
        fires [Value("count(/child::node())"), Value("x' or name()='username' or 'x'='y"), Value("substring(name(/*[1]),1,1)"), Value("'] | //user/*[contains(*,'")],
        near [Value("std::vector and Foo::bar"), Value("count (the) users"), Value("/* a comment */"), Value("parent: child")];
}
