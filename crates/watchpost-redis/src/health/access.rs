//! Who was refused: the server as a sensor.

use watchpost_model::health::Metric;
use watchpost_model::health::Unit;

use super::Change;
use super::basis_of;
use crate::info::Info;

const DENIED: [&str; 3] = ["acl_access_denied_cmd", "acl_access_denied_key", "acl_access_denied_channel"];

pub(super) fn metrics(info: &Info, change: Option<&Change<'_>>) -> Vec<Metric> {
    let some = Some((5.0, 50.0));
    let is_counted = info.text(DENIED[0]).is_some();
    let each: Vec<(&str, Option<f64>)> =
        DENIED.into_iter().map(|name| (name, change.and_then(|change| change.grown(name)))).collect();
    let denied = if is_counted {
        each.iter().map(|(_, grown)| *grown).sum::<Option<f64>>()
    } else {
        change.and_then(|change| change.errors("NOPERM"))
    };
    let words = if is_counted {
        let each: Vec<String> = each
            .iter()
            .filter_map(|(name, grown)| {
                let kind = name.trim_start_matches("acl_access_denied_");
                grown.map(|grown| format!("{kind} {grown:.0}"))
            })
            .collect();
        format!("by commands, keys and channels: {}; ACL LOG there names the users", each.join(", "))
    } else {
        "errorstat_NOPERM; ACL LOG there names the users".to_owned()
    };
    vec![
        Metric::judged(
            "acl_denied",
            "Refused for want of a right",
            Unit::Count,
            denied,
            some,
            basis_of(change, &words),
        ),
        // The same attempts as wrong passwords, which are judged.
        Metric::judged(
            "logins_refused",
            "Logins refused",
            Unit::Count,
            change.and_then(|change| change.grown("acl_access_denied_auth")),
            None,
            if info.text("acl_access_denied_auth").is_some() {
                basis_of(change, "acl_access_denied_auth")
            } else {
                "this server does not count them (Redis 7.2 and later do)".to_owned()
            },
        ),
        Metric::judged(
            "not_logged_in",
            "Commands without a login",
            Unit::Count,
            change.and_then(|change| change.errors("NOAUTH")),
            some,
            basis_of(change, "errorstat_NOAUTH"),
        ),
    ]
}
