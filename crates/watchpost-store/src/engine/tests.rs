use super::{Db, chunks, like_pattern};
use crate::target::sqlite_options;

/// SQLite ends the transaction itself when there is no room; the store must work again as soon as there is.
#[tokio::test]
async fn a_full_database_wedges_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let options = sqlite_options(&folder.path().join("full.db")).pragma("max_page_count", "16");
    let db = Db::open_sqlite(options).await.unwrap();
    let mut tx = db.begin_write().await.unwrap();
    tx.script("CREATE TABLE filler (body BLOB)").await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..3 {
        let mut tx = db.begin_write().await.unwrap();
        let blob = vec![7_u8; 200_000];
        let full = tx.execute("INSERT INTO filler VALUES ($1)", args![blob]).await.unwrap_err();
        assert!(full.to_string().contains("full"), "{full}");
    }
    let mut tx = db.begin_write().await.unwrap();
    tx.execute("INSERT INTO filler VALUES ($1)", args![vec![7_u8; 9]]).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    let n = tx.fetch_one("SELECT count(*) FROM filler", args![]).await.unwrap().i64(0).unwrap();
    assert_eq!(n, 1, "what fits is there, and nothing of what did not");
}

#[test]
fn lists_are_cut_into_few_sizes() {
    let items: Vec<u32> = (0..734).collect();
    let sizes: Vec<usize> = chunks(&items).map(<[u32]>::len).collect();
    assert_eq!(sizes, [500, 200, 20, 10, 2, 2]);
    let all: Vec<u32> = chunks(&items).flatten().copied().collect();
    assert_eq!(all, items, "nothing is lost");
}

#[test]
fn patterns_are_literal() {
    assert_eq!(like_pattern("50%_OFF!"), "%50!%!_off!!%");
}
