//! Serialised objects of Python, Ruby, .NET and JavaScript, and polluted prototypes.

use super::Matcher::Regex;
use super::signatures;
use crate::rule::Sample::{Post, Value};

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];

signatures! {
    DESERIALIZATION, Deserialization, attack: &["T1190", "T1059"], owasp: Some("A08:2025");

    "wp.deserialization.python" v 1, "Python pickle or YAML object", Critical 92, Any,
        gate &["cos\n", "cposix", "cnt\n", "csubprocess", "c__builtin", "cbuiltins", "ccommands", "__reduce__", "!!python", "!python", "gasv", "gajj", "ganj", "gaj9", "gan9", "y29zcn", "y3bvc2l4", "y19fyn", "\u{80}\u{4}\u{95}", "2002:python", "\\x80\\x0", "cos\\n", "cposix\\n"],
        Regex(r#"c(?:os|posix|nt|subprocess|__builtin__|builtins|commands|sys|runpy|importlib|pty|platform|webbrowser)(?:\n|\\n)(?:system|popen\w*|call|run|check_output|eval|exec\w*|getattr|getoutput|spawn\w*|import_module|compile|open|apply|execfile|map|globals)(?:\n|\\n)|__reduce(?:_ex)?__|!!?python/(?:object|name|module|tuple|apply|none|str)\b|tag:yaml\.org,2002:python/|(?:^|[^\w+/-])(?-i:gASV[\w+/-]{2}[A]AAAAAA|gA[JNQR][jcX9]|Y29zCnN5c3RlbQ|Y3Bvc2l4CnN5c3RlbQ|Y3Bvc2l4XG5zeXN0ZW0|Y19fYnVpbHRpbl9f|Y3N1YnByb2Nlc3M)[\w+/=-]{4,}|\x{80}\x{04}\x{95}|\\x80\\x0[2-5](?:\\x95|c|\}|\])"#),
        fires [Value("cos\nsystem\n(S'id'\ntR."), Value("!!python/object/apply:os.system ['id']"), Value("gASVIAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAJpZJSFlFKULg=="), Value("Y29zCnN5c3RlbQooUydpZCcKdFIu")],
        near [Value("cos(x) and system"), Value("!!important python"), Value("gASV is a prefix"), Value("the posix system")];
    "wp.deserialization.ruby" v 1, "Ruby object in YAML or Marshal", Critical 92, Any,
        gate &["!ruby", "\u{4}\u{8}", "bahv", "bahj", "bahb", "bahbcg", "gem::", "activesupport", "\\x04\\x08"],
        Regex(r#"!+ruby/(?:object|hash|struct|marshalable|class|module|regexp|sym|exception|array|range|string|hash-with-ivars)\b|(?:\x04\x08|\\x04\\x08)[ocIU\[{"][^\s]|(?:^|[^\w+/])(?-i:BAhv[O-R]|BAhbCG|BAhVO|BAhjFQ|BAhbB28)[\w+/=]{12,}|\b(?:gem::(?:requirement|package|installer|source|specfetcher|resolver|dependencylist)|activesupport::(?:deprecation::deprecatedinstancevariableproxy|messageverifier))"#),
        fires [Value("--- !ruby/object:Gem::Installer"), Value("!ruby/hash:ActionController::Routing::RouteSet::NamedRouteCollection"), Value("BAhvOkBBY3RpdmVTdXBwb3J0OjpEZXByZWNhdGlvbjo6"), Value("BAhbCGMVR2VtOjpTcGVjRmV0Y2hlcmMTR2VtOjpJbnN0YWxsZXI=")],
        near [Value("ruby/object oriented"), Value("BAh7B0kiD3Nlc3Npb25faWQGOgZFVEkiJWY5"), Value("gem install rails")];
    "wp.deserialization.dotnet" v 1, "Serialised .NET object or gadget", Critical 92, Any,
        gate &["aaeaaad", "aaqaaap", "aaaqaaaa", "objectdataprovider", "system.", "windowsidentity", "typeconfuse", "textformattingrun", "activitysurrogate", "psobject", "resourcedictionary", "clr-namespace", "$type", "claimsprincipal", "rolesprincipal", "sessionsecuritytoken", "axhost", "losformatter", "/wey"],
        Regex(r#"(?-i:AAEAAAD/{5}|[A-P]AAQAAAP/{4}|AAAQAAAA/{5})|\b(?:objectdataprovider|typeconfusedelegate|textformattingrunproperties|activitysurrogateselector\w*|windowsclaimsidentity|rolesprincipal|sessionsecuritytoken|sessionviewstatehistoryitem|toolboxitemcontainer|resxresourcereader|settingspropertyvalue|getterssettersproperties|axhoststate|losformatter|objectstateformatter|binaryformatter)\b\W|\bsystem\.(?:diagnostics\.process|windows\.(?:data|forms|markup|resourcedictionary)|security\.principal\.windowsidentity|management\.automation|workflow\.componentmodel|configuration\.install|io\.(?:fileinfo|directoryinfo|filesysteminfo)|web\.(?:security|ui)\.\w+|identitymodel|data\.(?:dataset|datatable|services)|reflection\.assembly|activities|collections\.generic\.sortedset|delegateserializationholder|linq\.enumerable)\b[\w.+`\[\]]*\s*(?:,|\bversion=|["';<>}]|$)|clr-namespace:system\.|"\$type"\s*:\s*"[\w.+`\[\], ]+""#),
        fires [Value("AAEAAAD/////AQAAAAAAAAAMAgAAAElTeXN0ZW0"), Value("System.Windows.Data.ObjectDataProvider, PresentationFramework"), Value("{\"$type\":\"System.IO.FileInfo, System.IO.FileSystem\"}"), Value("xmlns:d=\"clr-namespace:System.Diagnostics;assembly=system\"")],
        near [Value("the operating system. Diagnostics follow"), Value("AAEAAAD"), Value("a data provider object"), Value("/wEPDwUKMTIzNDU2Nzg5MGRk")];
    "wp.deserialization.javascript" v 1, "Serialised JavaScript function", Critical 93, Any,
        gate &["nd_func", "__js_function", "!!js/", "xyqktkr", "ndfunc", "004e"],
        Regex(r#"_\$\$?(?:nd|\\u004e\\u0044)_func\$\$?_|\bnd_func\b|__js_function|!!js/(?:function|regexp|undefined)|(?-i:XyQkTkRfRlVOQyQkX)"#),
        fires [Value("{\"rce\":\"_$$ND_FUNC$$_function(){require('child_process').exec('id')}()\"}"), Value("{\"__js_function\":\"function(){}\"}"), Value("!!js/function 'function(){}'")],
        near [Value("a JS function"), Value("second_function"), Value("ND FUNC")];
    "wp.deserialization.prototype" v 1, "Prototype pollution", High 88, Any, gate &["__proto__", "prototype"],
        Regex(r#"__proto__|\bconstructor\s*(?:\.|\[\s*['"]?|\]\s*\[\s*['"]?)\s*prototype\b|["']?constructor["']?\s*:\s*\{\s*["']?prototype\b"#),
        fires [Post(JSON, "{\"a\":{\"__proto__\":{\"isAdmin\":true}}}"), Value("a[constructor][prototype][x]=1"), Value("constructor.prototype.polluted"), Value("__proto__[toString]=x")],
        near [Value("the prototype of the constructor"), Value("proto__buf"), Value("prototype chain")];
}
