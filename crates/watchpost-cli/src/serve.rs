//! The daemon's HTTP interface: operations, metrics, health. Every request needs the bearer token, except `/healthz`.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::{Path as UrlPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use watchpost_model::access::Origin;
use watchpost_ops::console::Console;
use watchpost_ops::door::{Call, OPERATIONS};
use watchpost_ops::error::{ErrorCode, OpError};
use watchpost_ops::{Paths, os_caller};

/// Header that carries the confirmation of a change on a production connection.
const CONFIRM: &str = "x-watchpost-confirm";
/// Why, for changes whose request asks for no reason; stands in the audit record.
const REASON: &str = "x-watchpost-reason";
/// For how long the engine may be down before the daemon says that it is not well.
const ENGINE_PATIENCE: chrono::Duration = chrono::Duration::seconds(30);

struct Shared {
    console: Console,
    token: String,
}

/// Serves until a signal comes. The port is open when this logs it.
pub(crate) async fn serve(
    console: Console,
    listen: SocketAddr,
    token_file: Option<&Path>,
) -> anyhow::Result<()> {
    let given = token(listen, token_file)?;
    let listener =
        tokio::net::TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    let (token, made) = match given {
        Some(token) => (token, None),
        None => {
            let token = hex::encode(rand::random::<[u8; 24]>());
            let file = Paths::from_environment()?.http_token(address.port());
            keep(&token, &file).with_context(|| format!("cannot write the token to {}", file.display()))?;
            // The log is read by others than the token is for.
            tracing::warn!("the token of this run is in {}", file.display());
            (token, Some(file))
        }
    };
    let shared = Arc::new(Shared { console, token });
    let guarded = Router::new()
        .route("/api/v1/operations", get(operations))
        .route("/api/v1/operations/{name}", post(operation))
        .route("/metrics", get(metrics))
        .route_layer(middleware::from_fn_with_state(shared.clone(), authenticate));
    let app = Router::new().route("/healthz", get(healthz)).merge(guarded).with_state(shared);
    tracing::warn!("listening on http://{address}");
    let served = axum::serve(listener, app).with_graceful_shutdown(stop_signal()).await;
    if let Some(file) = made {
        drop(std::fs::remove_file(file));
    }
    Ok(served?)
}

/// Writes the token of a run to a file that only this account reads.
fn keep(token: &str, file: &Path) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    // One that a killed run left may have other rights.
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    file.write_all(format!("{token}\n").as_bytes())
}

/// Ends on SIGINT or SIGTERM.
pub(crate) async fn stop_signal() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::error!(%error, "cannot hear SIGTERM; only Ctrl+C stops the daemon");
            drop(tokio::signal::ctrl_c().await);
            return;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// The token that is given; `None` where one is to be made.
fn token(listen: SocketAddr, file: Option<&Path>) -> anyhow::Result<Option<String>> {
    let Some(file) = file else {
        if !listen.ip().is_loopback() {
            return Err(OpError::invalid("listen", format!("{listen} can be reached from other machines"))
                .hint("give --token-file, and put TLS in front")
                .into());
        }
        return Ok(None);
    };
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the token from {}", file.display()))?;
    let token = text.trim().to_owned();
    if token.len() < 16 {
        return Err(OpError::invalid("token_file", "the token is shorter than 16 characters").into());
    }
    Ok(Some(token))
}

async fn authenticate(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    if same(given.as_bytes(), shared.token.as_bytes()) {
        return next.run(request).await;
    }
    let error = OpError::new(ErrorCode::Permission, "the bearer token is missing or wrong");
    (StatusCode::UNAUTHORIZED, axum::Json(error)).into_response()
}

/// Compares without telling by its time how much was right.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}

async fn healthz(State(shared): State<Arc<Shared>>) -> Response {
    let status = shared.console.status(&os_caller(Origin::Http)).await;
    let well = |part: &Option<watchpost_ops::contract::Part>| {
        part.as_ref().is_some_and(|part| part.state == watchpost_ops::contract::PartState::Connected)
    };
    let code = health(well(&status.redis) && well(&status.database), shared.console.engine_down_for());
    let answer = serde_json::json!({
        "redis": status.redis.map(|part| part.state),
        "database": status.database.map(|part| part.state),
        "engine": status.engine.state,
    });
    (code, axum::Json(answer)).into_response()
}

/// An engine that starts anew now and then is well; one that fails at every try for so long is not.
fn health(servers_answer: bool, engine_down_for: Option<chrono::Duration>) -> StatusCode {
    if servers_answer && engine_down_for.is_none_or(|down| down <= ENGINE_PATIENCE) {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

async fn operations() -> axum::Json<&'static [watchpost_ops::contract::OperationSpec]> {
    axum::Json(OPERATIONS)
}

async fn operation(
    State(shared): State<Arc<Shared>>,
    UrlPath(name): UrlPath<String>,
    headers: HeaderMap,
    body: Result<axum::Json<Value>, axum::extract::rejection::JsonRejection>,
) -> Response {
    let request = match body {
        Ok(axum::Json(request)) => request,
        Err(rejection) => return failure(&OpError::invalid("request", rejection.body_text())),
    };
    let confirmation = headers.get(CONFIRM).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let reason = headers.get(REASON).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let call = Call { caller: os_caller(Origin::Http), confirmation, reason };
    match shared.console.call_json(&call, &name, request).await {
        Ok(reply) => axum::Json(reply).into_response(),
        Err(error) => failure(&error),
    }
}

fn failure(error: &OpError) -> Response {
    let code = match error.code {
        ErrorCode::Validation => StatusCode::BAD_REQUEST,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Conflict => StatusCode::CONFLICT,
        ErrorCode::Precondition | ErrorCode::SchemaTooNew => StatusCode::PRECONDITION_FAILED,
        ErrorCode::Permission | ErrorCode::Approval => StatusCode::FORBIDDEN,
        ErrorCode::Unavailable | ErrorCode::SecretStore => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::Cancelled | ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (code, axum::Json(error)).into_response()
}

/// Prometheus text format.
async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let status = shared.console.status(&os_caller(Origin::Http)).await;
    let engine = &status.engine;
    let up = |part: &Option<watchpost_ops::contract::Part>| {
        u64::from(
            part.as_ref().is_some_and(|part| part.state == watchpost_ops::contract::PartState::Connected),
        )
    };
    let mut text = String::new();
    for (name, kind, help, value) in [
        ("redis_up", "gauge", "1 when Redis answers.", Some(up(&status.redis))),
        ("database_up", "gauge", "1 when the database answers.", Some(up(&status.database))),
        ("ingest_events_total", "counter", "Events processed.", Some(engine.processed_total)),
        (
            "ingest_duplicates_total",
            "counter",
            "Events that were already known.",
            Some(engine.duplicates_total),
        ),
        ("ingest_quarantined_total", "counter", "Keys set aside as unreadable.", engine.quarantined_total),
        ("detect_findings_total", "counter", "Findings made.", Some(engine.findings_total)),
        (
            "detect_evicted_total",
            "counter",
            "Entries dropped from full detection tables.",
            engine.evicted_total,
        ),
        ("backlog_events", "gauge", "Events waiting in Redis.", engine.backlog),
        ("incidents_active", "gauge", "Incidents that need somebody.", Some(status.incidents_active)),
        (
            "index_words_behind_events",
            "gauge",
            "Archived events whose words are not indexed yet, from 400 on; searches of them are slower.",
            (up(&status.database) == 1).then_some(status.words_behind.unwrap_or(0)),
        ),
    ] {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "# HELP watchpost_{name} {help}\n# TYPE watchpost_{name} {kind}\nwatchpost_{name} {value}\n"
            );
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use chrono::Duration;

    use super::{health, keep};

    #[test]
    fn the_token_of_a_run_is_read_by_its_account_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = std::env::temp_dir().join(format!("watchpost-test-{}.token", std::process::id()));
        std::fs::write(&file, "of a run before").unwrap();
        keep("0123456789abcdef", &file).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "0123456789abcdef\n");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn a_daemon_whose_engine_stays_down_is_not_well() {
        assert_eq!(health(true, None), StatusCode::OK);
        assert_eq!(health(true, Some(Duration::seconds(30))), StatusCode::OK, "it may only start anew");
        assert_eq!(health(true, Some(Duration::seconds(31))), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(health(false, None), StatusCode::SERVICE_UNAVAILABLE);
    }
}
