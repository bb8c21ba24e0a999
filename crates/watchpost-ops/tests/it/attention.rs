//! Which critical incidents are told to people who look elsewhere.

use watchpost_model::event::Severity;
use watchpost_model::ids::ConnectionId;
use watchpost_model::incident::{Incident, Status};
use watchpost_ops::attention::News;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;

use crate::door::{desk, folder};

#[tokio::test]
async fn what_is_raised_or_reopened_is_news_once() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.fill().await;
    let model = desk.first_incident().await.incident;
    let incident = |number: i64, status: Status| Incident {
        number,
        status,
        severity: Severity::Critical,
        ..model.clone()
    };
    let here = desk.console.workspace().expect("it is open").connection().id;
    let numbers = |fresh: Vec<&Incident>| fresh.iter().map(|incident| incident.number).collect::<Vec<_>>();
    let mut news = News::default();
    let mut look = |id: ConnectionId, waiting: &[Incident]| numbers(news.look(id, waiting));

    let old = [incident(9, Status::Open)];
    assert!(look(here, &old).is_empty(), "what was there before stands in the window");
    // An older number that was raised to critical, beside a new one.
    let raised = [incident(4, Status::Open), incident(9, Status::Open), incident(10, Status::Open)];
    assert_eq!(look(here, &raised), [4, 10]);
    assert!(look(here, &raised).is_empty(), "once");
    assert!(look(here, &[]).is_empty());
    assert!(look(here, &old).is_empty(), "nor when it shows again");
    assert_eq!(look(here, &[incident(9, Status::Reopened)]), [9]);
    let elsewhere = ConnectionId::at(desk.console.now());
    assert!(look(elsewhere, &raised).is_empty(), "another connection begins anew");
    desk.console.close().await;
}
