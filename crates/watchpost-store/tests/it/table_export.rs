//! The rows of the tables, page by page: each once, in the order of the key, of one moment, on both engines.

use std::collections::BTreeSet;

use watchpost_store::Cell;

use crate::support::{World, both, draft};

both!(rows_come_once_and_of_one_moment);

async fn rows_come_once_and_of_one_moment(world: World) {
    for n in 0..25 {
        world.store.audit_append(draft(&format!("thing_{n}"))).await.unwrap();
    }
    let look = world.store.snapshot().await.unwrap();
    let found = look.export_tables().await.unwrap();
    let table = |name: &str| found.tables.iter().find(|table| table.name == name).unwrap();
    assert!(found.tables.iter().all(|table| table.name != "subject_key"));
    assert!(!table("erasure").columns.iter().any(|column| column == "mark"));
    let records = table("audit_record");
    let (mut seen, mut last) = (Vec::new(), None::<Vec<Cell>>);
    loop {
        let page = look.export_rows(records, last.as_deref(), 10).await.unwrap();
        // What is written meanwhile is of another moment.
        world.store.audit_append(draft("later")).await.unwrap();
        let Some(end) = page.last().cloned() else { break };
        last = Some(end);
        seen.extend(page);
    }
    let place = |name: &str| records.columns.iter().position(|column| column == name).unwrap();
    let numbers: Vec<&Cell> = seen.iter().map(|row| &row[place("seq")]).collect();
    let distinct: BTreeSet<String> = numbers.iter().map(|cell| format!("{cell:?}")).collect();
    assert_eq!(distinct.len(), seen.len(), "each once");
    assert!(seen.len() >= 25, "{}", seen.len());
    let actions: Vec<&Cell> = seen.iter().map(|row| &row[place("action")]).collect();
    assert!(!actions.contains(&&Cell::Text("later".to_owned())), "{actions:?}");
    let leaves = look.export_rows(table("audit_leaf"), None, 1).await.unwrap();
    assert!(matches!(leaves[0][1], Cell::Bytes(_)), "{leaves:?}");
    drop(look);
    world.store.close().await;
}
