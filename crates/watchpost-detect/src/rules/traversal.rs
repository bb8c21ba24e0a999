//! Path traversal and file inclusion.

use super::{Matcher::Regex, signatures};
use crate::rule::Sample::{Path, Value};

signatures! {
    TRAVERSAL, Traversal, attack: &["T1083", "T1190"], owasp: Some("A01:2025");

    "wp.traversal.dots" v 1, "Several steps up in a path", High 90, Any, gate &["..", "0x2e", "%2e", ".%", "//"],
        Regex(r#"(?:(?:^|[^.\w])\.{2,3}[;\x00.]{0,2}(?:[\\/]|0x2f|0x5c|%(?:25)*(?:2f|5c|c0|c1|af|9c))+){2,}|^[\\/]*(?:\.{2,4}[\\/;]+){2,}|(?:\.{2,}[\\/;]+){2,}[\w.$%]*$|(?:(?:\.\.|0x2e0x2e|%(?:25)*2e%(?:25)*2e|\.%00\.|%c0%ae%c0%ae)(?:[\\/]+|0x2f|0x5c|%(?:25)*(?:2f|5c)|%c0%af|%c1%9c|%c0%5c|%%32%66|%%35%63)){2,}|(?:\.\.[\\/]\.?[\\/]*){2,}(?:etc|windows|winnt|boot|proc|var|usr|home|root)|(?:\.[\\/]+){6,}|\.{2}[\\/]{2,}\.{2}[\\/]|(?:\.{4,}[\\/]+){2,}|(?:\.\.[\\/]){3,}"#),
        fires [Value("../../../x"), Value("..\\..\\boot"), Path("/a/..%2f..%2f..%2fb"), Value("....//....//x")],
        near [Value("wait... / what"), Value("../logo.png"), Value("from 1..10/2")];
    "wp.traversal.step" v 1, "One step up to something that is not public", High 80, NotUserAgent, gate &[".."],
        Regex(r#"(?:^|[\\/=:;,"'\s(\x00])\.\.[\\/;]+(?:\.\.[\\/]+|[\w.-]+[\\/]+)*(?:(?:passwd|shadow|boot\.ini|win\.ini|winnt|system32|web-inf|meta-inf|\.env|\.git|\.ht\w+|\.ssh|config\w*\.(?:php|ya?ml|json|inc|xml)|wp-config|id_rsa|localstart|global\.asa|web\.config|cmd\.exe|inetpub|cgi-bin)\b|(?:etc|proc|windows|sam|admin|conf|scripts)(?:[\\/]|$))|^\.\.[\\/]+[^\s]{0,3}$|^[\\/]?\.\.[\\/](?:\.\.)?$|\.\.[\\/][^\s]{0,120}\x00|\.\.;/|(?:^|/)\.\.$"#),
        fires [Value("../etc/passwd"), Value("../../WEB-INF/web.xml"), Path("/static/..;/manager/html")],
        near [Value("../images/etc-logo.png"), Value("see ../README.md"), Value("and so on..")];
    "wp.traversal.file" v 1, "File that no application serves", High 88, NotUserAgent,
        gate &["etc", "proc/", "boot.ini", "win.ini", "windows", "winnt", "web-inf", "meta-inf", ".ht", "id_rsa", "authorized_keys", "bash_history", "wp-config", "/var/", "\\var\\", "system32", "global.asa", "web.config", ".ssh", "inetpub", "c:", "passwd", "/usr/", "my.cnf", "php.ini", "httpd.conf", "master.mdf", "apache", "/root/", "/home/", "/opt/", "/dev/", "/sys/", "/bin/", "mysql", "logs/", "log"],
        Regex(r#"(?:^|[\\/=:;,"'\s(|<>\x00?&`])[\\/.]*(?:etc[\\/]+(?:\.{0,2}[\\/]+)*(?:passwd|shadow|group|gshadow|hosts|hostname|issue|motd|fstab|crontab|cron\.|sudoers|profile|bash|my\.cnf|mysql|apache2?|httpd|nginx|ssh|ssl|php|resolv|rc\.|init|inetd|ftp|proftp|pure-ftpd|vsftpd|sysconfig|networks?|services|protocols|security|samba|exports|mtab|lsb|redhat|debian|os-release|environment|logrotate|ld\.so|shells|aliases|exim|postfix|sysctl|syslog|rsyslog|snmp|squid|lighttpd|tomcat|openldap|phpmyadmin|at\.|wu-ftpd|passwd-|utmp|wtmp|chrootUsers|firewall|modules|network|pam|X11|alias|csh|cups|dhcp|default|lilo|login|modprobe|ntp|ppp|printcap|timezone|updatedb|vhcs2|muddleftpd)|proc[\\/]+(?:self|\d{1,7}|version|cmdline|environ|mounts|net|cpuinfo|meminfo|stat|partitions|filesystems|interrupts|ioports|modules|swaps|sched_debug|devices)\b|var[\\/]+(?:log|mail|spool|www|lib|run|cache|adm|apache2?|htmlp?|nginx|local|opt|webmin|data|backups|cpanel)(?:[\\/]+[\w.*-]+|[\\/]*$)|usr[\\/]+(?:local|etc|lib|share|pkg|ports|sbin|home|spool|bin)[\\/]+[\w.-]+[\\/.]+[\w.-]|(?:root|home[\\/]+[\w.$*-]+)[\\/]+\.[a-z]\w+|opt[\\/]+(?:lampp|xampp|apache2?|httpd|nginx|tomcat|jboss|ibm|www)[\\/]|dev[\\/]+(?:tcp|udp|shm|fd|random|stdin|mem)\b|sys[\\/]+(?:class|devices|kernel)[\\/]|(?:s?bin|boot)[\\/]+(?:sh|bash|cat|ls|id|nc|ping|sleep|grub)[\w./]*$|tmp[\\/]+(?:sess_|access|error)|(?:apache2?|apache group|xampp|httpd|nginx|lampp|logs?)[\\/]+(?:[\w ]+[\\/]+)*(?:access|error|httpd|php\.ini|conf)[\w.-]*|logs?[\\/](?:access|error)[._]log)|\b(?:boot\.ini|win\.ini|system\.ini|system32|winnt[\\/]|global\.asax?|web\.config|localstart\.asp|httpd\.conf|php\.ini|my\.cnf|my\.ini|master\.mdf|wp-config\.php|authorized_keys|id_[dr]sa|known_hosts|\.bash_history|sam\._|ntuser\.dat|applicationhost\.config|iis6?\.log|mysql[\\/]data[\\/]|unattend\.xml|pagefile\.sys|desktop\.ini|debug[\\/]netsetup\.log|weblogic\.xml|repair[\\/]s(?:am|ystem))\b|\b(?:web|meta)-inf[\\/]|\b[a-z]:[\\/]+(?:windows|winnt|boot|inetpub|users|program files|documents and settings|xampp|apache|php|wamp|mysql|sysprep|\$recycle|unattend|nginx|home|progra~1)\b|[\\/.]\.ht(?:access|passwd)|[\\/]\.ssh[\\/]|\bpasswd(?:%00|\x00)"#),
        fires [Value("/etc/passwd"), Value("c:\\windows\\win.ini"), Value("/proc/self/environ"), Value("/WEB-INF/web.xml"), Value("file=/var/log/auth.log")],
        near [Value("passwords, etc."), Value("the proc of C: grade"), Value("windows and boots")];
    "wp.traversal.wrapper" v 1, "Stream wrapper as a file name", High 88, NotUserAgent,
        gate &["php://", "file:", "expect://", "zip://", "phar://", "data://", "glob://", "zlib://", "compress.", "dict://", "gopher://", "ogg://", "rar://", "ssh2", "netdoc:", "jar:", "\\\\", "ldap://", "tftp://", "sftp://", "view-source:", "config:", "include", "ftp://"],
        Regex(r#"\b(?:php|expect|zip|phar|glob|zlib|compress\.(?:zlib|bzip2?)|ogg|rar|ssh2(?:\.\w+)?|dict|gopher|tftp|sftp|netdoc|jar)\s*:(?://|%2f%2f|\w+:)[^\s]|\bdata://[^\s]|(?:^|["'=(\s>])file:(?:/{1,3}|\\{1,3}|%2f)[\w./\\%$~-]|^\\\\[\w.-]+\\[\w$.-]+"#),
        fires [Value("php://filter/convert.base64-encode/resource=index.php"), Value("file:///etc/hosts"), Value("expect://id"), Value("\\\\10.0.0.1\\share")],
        near [Value("file: attached"), Value("the zip: it broke"), Value("https://example.org/php")];
    "wp.traversal.secret" v 1, "Hidden or backup file asked for", Medium 80, Path,
        gate &["/.", ".bak", ".old", ".orig", ".swp", ".sql", "~", "wp-config", "/backup", "id_rsa", ".save"],
        Regex(r#"/\.(?:env|git|svn|hg|bzr|aws|ssh|docker|kube|npmrc|netrc|bash_history|ht(?:access|passwd)|ds_store|vscode|idea|mysql_history|config|htdigest|pgpass|s3cfg|subversion|cvs)\b|\.(?:bak|old|orig|swp|save|backup)$|/(?:backup|dump|db|database|site|www)\.(?:sql|zip|tar|tgz|tar\.gz|gz|rar|7z)$|wp-config\.php[.~_]"#),
        fires [Path("/.env"), Path("/app/.git/config"), Path("/backup.sql"), Path("/index.php.bak")],
        near [Path("/.well-known/acme-challenge/x"), Path("/environment"), Path("/docs/old.html")];
}
