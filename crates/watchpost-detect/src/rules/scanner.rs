//! Scanners: what names itself, and what asks for things that only scanners ask for.

use super::{Matcher::Regex, signatures};
use crate::rule::Sample::{Path, UserAgent};

signatures! {
    SCANNER, Scanner, attack: &["T1595.002"], owasp: None;

    "wp.scanner.agent" v 1, "User agent of a scanning tool", Medium 90, UserAgent,
        gate &["sqlmap", "nikto", "nmap", "masscan", "acunetix", "nessus", "openvas", "dirbuster", "dirb", "gobuster", "feroxbuster", "ffuf", "wfuzz", "wpscan", "joomscan", "zgrab", "nuclei", "jaeles", "whatweb", "arachni", "w3af", "skipfish", "burp", "zaproxy", "owasp zap", "havij", "sqlninja", "commix", "hydra", "medusa", "metasploit", "qualys", "netsparker", "webinspect", "appscan", "paros", "vega", "fimap", "xsser", "dotdotpwn", "projectdiscovery", "l9explore", "l9tcpid", "expanse", "censysinspect", "internetmeasurement", "morfeus", "zmeu", "jorgee", "muieblackcat", "dirsearch", "rustbuster", "cyberdog", "grabber", "struts-pwn", "webshag", "brutus", "bsqlbf", "pangolin", "golismero", "detectify", "probely", "tenable"],
        Regex(r"\b(?:sqlmap|nikto|nmap|masscan|acunetix|nessus|openvas|dirbuster|dirb|gobuster|feroxbuster|ffuf|fuzz faster|wfuzz|wpscan|joomscan|zgrab|nuclei|jaeles|whatweb|arachni|w3af|skipfish|burp(?:suite|collaborator)?|zaproxy|owasp zap|havij|sqlninja|commix|hydra|metasploit|qualys\w*|netsparker|webinspect|appscan|paros|fimap|xsser|dotdotpwn|projectdiscovery|l9explore|l9tcpid|expanse|censysinspect|internetmeasurement|morfeus|zmeu|jorgee|muieblackcat|dirsearch|rustbuster|struts-pwn|webshag|brutus|bsqlbf|pangolin|golismero|detectify|probely|tenable)\b"),
        fires [UserAgent("sqlmap/1.7.2#stable (https://sqlmap.org)"), UserAgent("Mozilla/5.00 (Nikto/2.1.6)"), UserAgent("masscan/1.3"), UserAgent("Mozilla/5.0 zgrab/0.x")],
        near [UserAgent("Mozilla/5.0 (X11; Linux x86_64) Chrome/120"), UserAgent("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"), UserAgent("curl/8.4.0")];
    "wp.scanner.probe" v 1, "Path that only probes ask for", Low 75, Path,
        gate &["phpmyadmin", "phpunit", "/solr/admin", "/actuator", "/boaform", "/hnap1", "/_ignition", "/cgi-bin/", "/wp-content/plugins/", "wlwmanifest", "/manager/html", "/jmx-console", "/invoker/", "/geoserver", "/owa/auth", "/autodiscover", "/remote/fgt_lang", "/dana-na", "/.vscode", "/_profiler", "/telescope", "/debug/default", "/server-status", "/adminer", "/setup.cgi", "/shell", "/console/", "/ecp/", "/vpn/", "/securityrealm", "/gponform", "/login.cgi", "/portal/redlion", "phpinfo.php", "/xmlrpc.php", "/c99.php", "/r57.php", "/webshell", "/nikto", "/w00tw00t", "/muieblackcat"],
        Regex(r"/(?:phpmyadmin\d*|pma|myadmin)(?:/|$)|/phpunit/(?:src/)?util/php/|/solr/admin/|/actuator/(?:env|heapdump|gateway|jolokia|mappings)|/boaform/|/hnap1|/_ignition/|/cgi-bin/(?:\.|%|luci/|test|php|bash|admin|nas_sharing|account|config|kerbynet|viewlog|printenv)|/wlwmanifest\.xml|/manager/html|/jmx-console|/invoker/\w+servlet|/geoserver/web|/autodiscover/autodiscover|/remote/fgt_lang|/dana-na/|/_profiler/|/telescope/requests|/debug/default/view|/server-status$|/adminer(?:-[\d.]+)?\.php|/setup\.cgi|/shell\?|/securityrealm/|/gponform/|/portal/redlion|/phpinfo\.php|/(?:c99|r57|wso|webshell)\.php|/w00tw00t|/muieblackcat"),
        fires [Path("/phpMyAdmin/index.php"), Path("/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php"), Path("/actuator/env"), Path("/boaform/admin/formLogin")],
        near [Path("/articles/phpmyadmin-guide"), Path("/actuators/valves"), Path("/docs/cgi-bin-explained")];
}
