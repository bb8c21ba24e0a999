//! Keys of tokens through the door, with the engine at work.

use std::path::Path;

use watchpost_model::incident::IncidentFilter;
use watchpost_model::job::JobState;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    AuditPageRequest, ImportRequest, IncidentPageRequest, Nothing, TokenKeyAdd, TokenKeyInput, TokenKeyRef,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;

use crate::door::{Desk, desk, folder};

const SECRET: &str = "correct horse battery staple";

/// `{"sub":"4711","role":"admin"}` under HS256, signed with the secret.
const GENUINE: &str = concat!(
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0NzExIiwicm9",
    "sZSI6ImFkbWluIn0.X4pPOO46p-KeQA_FBviAEeC7YOisLh6cENDOTPyKIHM"
);
/// The same, signed with `guess`.
const FORGED: &str = concat!(
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0NzExIiwicm9",
    "sZSI6ImFkbWluIn0.t43Xef9Q7B6G8uJDRf_tAIlYylZtoz5ZceP_PMA9fmg"
);

/// Requests with each token, each from an address of its own; tells which addresses have an incident.
async fn suspects(desk: &Desk, home: &Path, round: u8, tokens: &[&str]) -> Vec<String> {
    let at = (desk.console.now() - chrono::Duration::hours(1)).format("%d/%b/%Y:%H:%M:%S +0000");
    let log: Vec<String> = tokens
        .iter()
        .enumerate()
        .map(|(idx, token)| {
            let address = format!("198.51.{round}.{}", idx + 1);
            format!(
                "{address} - - [{at}] \"GET /me?access_token={token} HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0\"\n"
            )
        })
        .collect();
    let path = home.join(format!("{round}.log"));
    std::fs::write(&path, log.concat()).expect("the folder is ours");
    let path = path.to_str().expect("text").to_owned();
    let request = ImportRequest { path, format: "combined".to_owned(), restart: false };
    let run = desk.ask::<operation::import_run>(request).await.expect("the import starts");
    assert_eq!(desk.finish(run).await.state, JobState::Done, "the import ends well");
    desk.console.until_idle().await.expect("the engine works");
    let filter = IncidentFilter::default();
    let request = IncidentPageRequest { filter, limit: 500, ..IncidentPageRequest::default() };
    let page = desk.ask::<operation::incident_page>(request).await.expect("incidents can be listed");
    let prefix = format!("198.51.{round}.");
    page.rows.into_iter().map(|row| row.entity.value).filter(|ip| ip.starts_with(&prefix)).collect()
}

#[tokio::test]
async fn signatures_are_checked_with_the_keys_that_are_set() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    assert!(
        suspects(&desk, home.path(), 1, &[GENUINE, FORGED]).await.is_empty(),
        "no key, nothing to check with"
    );

    let file = home.path().join("key.txt");
    std::fs::write(&file, format!("{SECRET}\n")).expect("the folder is ours");
    let key = TokenKeyInput::File { path: file.to_str().expect("text").to_owned() };
    let add = TokenKeyAdd { name: "login".to_owned(), issuer: None, key };
    let list = desk.ask::<operation::token_key_add>(add).await.expect("the file holds a secret");
    assert_eq!(list.keys[0].algorithms, ["HS256", "HS384", "HS512"]);
    assert_eq!(suspects(&desk, home.path(), 2, &[GENUINE, FORGED]).await, ["198.51.2.2"], "forged");

    // The file goes: the list says so, and nothing is taken for forged.
    std::fs::remove_file(&file).expect("it was there");
    let list = desk.ask::<operation::token_key_list>(Nothing {}).await.expect("listed");
    assert!(list.keys[0].problem.as_deref().is_some_and(|told| told.contains("key.txt")), "{list:?}");
    assert!(list.keys[0].algorithms.is_empty());

    let list = desk
        .ask::<operation::token_key_remove>(TokenKeyRef { name: "login".to_owned() })
        .await
        .expect("it is there");
    assert!(list.keys.is_empty());
    let trail = desk.ask::<operation::audit_page>(AuditPageRequest::default()).await.expect("the trail");
    for action in ["token_key_add", "token_key_remove"] {
        let told: Vec<_> = trail.rows.iter().map(|row| (row.action.as_str(), row.object.as_str())).collect();
        assert!(told.contains(&(action, "token_key/login")), "{told:?}");
    }
    desk.console.close().await;
}

#[tokio::test]
async fn what_is_no_key_is_refused_and_a_secret_is_never_shown() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let add = |key| TokenKeyAdd { name: "a".to_owned(), issuer: None, key };
    for (key, code, field) in [
        (TokenKeyInput::Public { pem: "hello".to_owned() }, ErrorCode::Validation, "pem"),
        (TokenKeyInput::Secret { value: String::new() }, ErrorCode::Validation, "value"),
        (TokenKeyInput::Secret { value: "abc".to_owned() }, ErrorCode::Validation, "value"),
        (TokenKeyInput::File { path: "key.pem".to_owned() }, ErrorCode::Validation, "path"),
        (TokenKeyInput::File { path: "/no/such/key.pem".to_owned() }, ErrorCode::Unavailable, "path"),
    ] {
        let refused = desk.ask::<operation::token_key_add>(add(key)).await.expect_err("no key");
        assert_eq!((refused.code, refused.field.as_deref()), (code, Some(field)), "{refused:?}");
    }
    let secret = TokenKeyInput::Secret { value: SECRET.to_owned() };
    assert!(!format!("{secret:?}").contains("horse"));
    // Without a keychain a command line that ends at once could not keep it, and says what can.
    let list = match desk.ask::<operation::token_key_add>(add(secret)).await {
        Ok(list) => list,
        Err(refused) => {
            assert_eq!(refused.code, ErrorCode::SecretStore);
            assert!(refused.hint.as_deref().is_some_and(|hint| hint.contains("--file")), "{refused:?}");
            desk.ask::<operation::token_key_list>(Nothing {}).await.expect("listed")
        }
    };
    assert!(list.keys.iter().all(|key| key.problem.is_none()), "{list:?}");
    let trail = desk.ask::<operation::audit_page>(AuditPageRequest::default()).await.expect("the trail");
    let told = serde_json::to_string(&(list, trail)).expect("JSON");
    assert!(!told.contains("horse"), "{told}");
    let gone = desk.ask::<operation::token_key_remove>(TokenKeyRef { name: "b".to_owned() }).await;
    assert_eq!(gone.expect_err("not there").code, ErrorCode::NotFound);
    desk.console.close().await;
}
