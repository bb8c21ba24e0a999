//! Cross-site scripting.

use super::{Matcher::Regex, signatures};
use crate::rule::Sample::Value;

signatures! {
    XSS, Xss, attack: &["T1059.007", "T1190"], owasp: Some("A05:2025");

    "wp.xss.script" v 1, "Script element", High 95, Any, gate &["script"],
        Regex(r#"<[\s/\x00\W]{0,4}script(?:[\s/:>"'=\x00;(]|$)|<\s*/\s*script\s*>"#),
        fires [Value("<script>alert(1)</script>"), Value("\"><SCRIPT SRC=//x.example/a.js>"), Value("</script ><b>"), Value("< script >")],
        near [Value("the scripture"), Value("a <scripted> event"), Value("script > program")];
    "wp.xss.handler" v 1, "Event handler in an element", High 92, Any, gate &["on"],
        Regex(r#"<[a-z!/?%][^>]*?[\s/"'`\x00;]on[a-z]{3,24}[\s\x00]{0,8}=|<[a-z]+/on[a-z]+=|<[a-z][^>]*?\s(?:data-)?on(?:error|load|click|focus|mouseover|toggle|begin|start)\b\s*="#),
        fires [Value("<img src=x onerror=alert(1)>"), Value("<svg/onload=alert(1)>"), Value("<body onpageshow = \"x()\">")],
        near [Value("a < b and one = two"), Value("<p>based on x = 3</p>"), Value("options on = off")];
    "wp.xss.breakout" v 1, "Attribute closed and an event handler added", High 88, Any, gate &["on", "style", "autofocus"],
        Regex(r#"(?:["'`][^<>]{0,60}?[\s/"'`;]|^\s*|["'`])on(?:error|load|click|dblclick|focus|focusin|blur|mouse[a-z]{2,5}|key(?:up|down|press)|toggle|submit|change|input|select|reset|abort|begin|end|start|finish|bounce|drag\w{0,5}|drop|copy|cut|paste|wheel|scroll\w{0,3}|resize|unload|beforeunload|hashchange|pageshow|popstate|message|animation\w+|transition\w+|pointer\w+|touch\w+|contextmenu|canplay|play\w{0,3}|show|invalid|search|auxclick|before\w+)\s{0,8}=\s*\S"#),
        fires [Value("\" onmouseover=\"alert(1)"), Value("x' autofocus onfocus=alert(1) '"), Value("onerror=alert(1)")],
        near [Value("\"on load\" = fine"), Value("he said 'go on', end of story"), Value("position=one")];
    "wp.xss.uri" v 1, "Script in a URL scheme", High 90, Any, gate &["script", "data:", "livescript", "mocha:"],
        Regex(r#"(?:^|[^a-z0-9_.\-])(?:j\s{0,4}a\s{0,4}v\s{0,4}a|v\s{0,4}b|live)\s{0,4}s\s{0,4}c\s{0,4}r\s{0,4}i\s{0,4}p\s{0,4}t\s{0,4}:(?:[^\s]|\s*[\w(\[]+\s*[(\[.=])|\bdata\s*:\s*(?:text/(?:html|xml|javascript|vbscript)|image/svg\+xml|application/(?:xml|xhtml\+xml|javascript|x-javascript))|\bdata:[^,\s]{0,40};base64,[A-Za-z0-9+/]{16}|["'=(]\s*data:[;,]|mocha:\s*\[?code"#),
        fires [Value("javascript:alert(1)"), Value("java\tscript:alert(1)"), Value("data:text/html,<b>x"), Value("vbscript:msgbox(1)")],
        near [Value("JavaScript: The Good Parts"), Value("written in javascript : yes"), Value("the data: text and html")];
    "wp.xss.element" v 1, "Element that loads or runs something", High 85, Any, gate &["<"],
        Regex(r#"<[/\s]{0,3}(?:\w{1,12}:)?(?:iframe|embed|object|applet|meta|base|frameset|frame|isindex|ilayer|layer|bgsound|svg|math|xss|vmlframe|import|implementation|portal|noscript|plaintext|xmp|marquee|keygen|listing)(?:[\s/+"'\x00][^<>]*?=|["'=\x00])|(?:^|\W)<(?:iframe|svg|math|isindex|frameset|marquee|xmp|plaintext|style|noscript|applet|noembed|noframes)[\s/]*>|<(?:img|image|input|video|audio|source|link|body|table|td|th|tr|div|span|form|button|a|area|bgsound|style|xml|html|input|select|textarea|details|br|p|b|x|h1|label|track|animate|set|handler|listener|use|foreignobject|stop|maction|event-source|[a-z]{1,10}:[a-z]+)[\s/"'+\x00][^>]*?(?:(?:src|href|xlink:href|background|action|formaction|data|dynsrc|lowsrc|srcdoc|values|poster|code|codebase|classid|rel|from|to|type|content|datasrc|url|behavior|folder|style|id|autofocus|contenteditable|tabindex|http-equiv|srcset|xmlns\w*(?::\w+)?|attributename)\s*=)"#),
        fires [Value("<iframe src=//x.example>"), Value("<svg><desc>"), Value("<a href=//x.example>x</a>"), Value("<meta http-equiv=refresh>")],
        near [Value("Vec<Object> and Map<Base>"), Value("a <b> c </b>"), Value("if x <meta then")];
    "wp.xss.style" v 1, "Script in a style", Medium 85, Any, gate &["expression", "binding", "behavior", "behaviour", "@import", "url(", "-o-link", "<style"],
        Regex(r#"(?:expr(?:/\*.*?\*/|\s)*ession|expression)\s*\(.*[)=]|-moz-binding\s*:|behaviou?r\s*:\s*url|@(?:import|\\69mport)\s*(?:url\s*\(|['"])|:\s*url\s*\(\s*['"]?\s*(?:javascript|data|vbscript)|-o-link\s*:|<style[^>]*>[^<]*[{@]|["';]\s*[a-z-]+\s*:\s*expression|list-style-image\s*:"#),
        fires [Value("xss:expression(alert(1))"), Value("-moz-binding:url(//x.example/x)"), Value("<style>@import '//x.example/x.css'")],
        near [Value("an expression of interest"), Value("good behaviour: always"), Value("url(image.png)")];
    "wp.xss.code" v 1, "Script that calls or reads the page", High 80, Any,
        gate &["alert", "prompt", "confirm", "eval", "document", "window", "location", "cookie", "fromcharcode", "settimeout", "setinterval", "constructor", "innerhtml", "string.from", "atob", "self[", "top[", "this[", "parent[", "function", "onerror", "import(", "fetch(", "localstorage", "msgbox", "xmlhttp", "throw", "print("],
        Regex(r#"\b(?:alert|confirm|prompt|msgbox|print)\s{0,4}(?:(?:/\*.*?\*/|\?\.|\s){0,3}\(\s*(?:\d{1,6}|['"`/][^'"`]{0,40}['"`/]|document|window|location|self|this|top|cookie|name|origin|string|xss|\w+\()|`[^`]{0,40}`|\()\s*[^a-z\s]|["'`);}\]>]\s*[;,+|&*/-]*\s*(?:alert|confirm|prompt|eval|settimeout|setinterval|function)\s*[(`]|\b(?:document|window|self|top|parent|this|frames|globalthis|content)\s*(?:\.|\[\s*['"`/]?)\s*(?:cookie|write(?:ln)?\b|location|domain\b|body\s*[.\[]|innerhtml|eval\b|alert|documentelement|forms|open\s*\(|referrer|scripts|createelement|getelement\w*\s*\(\s*['"]|constructor|al|execcommand|name\b|url\b|defaultview|vulnerable)|\beval\s*[(`]\s*(?:['"`]|string|atob|name|location|unescape|\w+\s*[(.\[+]|\(|\w{1,12}\))|string\s*\.\s*fromcharcode|\bfromcharcode\s*\(|\[\s*['"`]?(?:constructor|filter|fill|sort|map|find|at|flat)['"`]?\s*\]\s*[\[(.]|\blocation\s*(?:\.(?:href|hash|replace|assign)\s*)?[=(]\s*(?:['"`]|\w+\s*[.+(]|name)|\bset(?:timeout|interval)\s*\(\s*['"`(\w]+\s*[('"`]|\.\s*(?:inner|outer)html\s*=|\bimport\s*\(\s*['"`]|\bthrow\s+onerror\s*=|\bonerror\s*=\s*(?:alert|eval)|\bfetch\s*\(\s*['"`]//|\bconstructor\s*\.\s*constructor|\bnew\s+(?:function|image|activexobject|xmlhttprequest)\s*[(`.]"#),
        fires [Value("';alert(1)//"), Value("document.cookie"), Value("eval(String.fromCharCode(97))"), Value("[]['constructor']['constructor']")],
        near [Value("an alert (level 3) was raised"), Value("window of opportunity"), Value("the document's location"), Value("call the function(s)")];
    "wp.xss.obfuscated" v 1, "Script without letters", Medium 80, Any, gate &["[]", "+[", "![", "$=~", "~[", "{}", "_=", "$_", "(+"],
        Regex(r#"(?:[!+\-~(\[{]*(?:!\[\]|\[\]|!\+|\+!|\{\})[)\]}+!\-\[(]*){4,}|\$=~\[\]|_=\[\]|\(\+?\{\}\+\[|\$\s*=\s*~|\(\s*!\s*1\s*\+\s*['"`]{2}\s*\)\s*\[|\(\+\[\]\)\[|['"`]\s*\[\s*['"`]\w+['"`]\s*\]\s*\("#),
        fires [Value("[][(![]+[])[+[]]+(![]+[])[!+[]+!+[]]]"), Value("$=~[];$={___:++$}"), Value("([]+{})[+!![]]+[][[]]+[]+![]")],
        near [Value("let x = [] or {}"), Value("array[0] + array[1]"), Value("foo([], {}, [])")];
    "wp.xss.markup" v 1, "Markup that smuggles: entities, conditional comments, processing instructions", Medium 75, Any, gate &["<!", "<?", "<%", "]>", "--!>", "xmlns", "xml:"],
        Regex(r#"<!--\[if|<!\[cdata\[|<!(?:entity|element|attlist)\b|<!doctype\s+\w+\s*(?:\[|system|public)|<\?xml(?:-stylesheet)?\s|<!--#(?:exec|include|echo|config|printenv)|--!?>\s*<[a-z]|\bxmlns(?::\w+)?\s*=\s*["']?https?://www\.w3\.org|<\?import|<!--(?:[^-]|-[^-]){0,40}<"#),
        fires [Value("<!--[if gte IE 4]>"), Value("<!--#exec cmd=\"ls\"-->"), Value("<!ENTITY xxe SYSTEM 'file:///x'>")],
        near [Value("<!-- a comment -->"), Value("x <! y"), Value("C <? D")];
}
