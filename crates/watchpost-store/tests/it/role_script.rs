//! Running `deploy/postgres-roles.sql` where people work, and where it cannot do what it is for.

use sqlx::{AssertSqlSafe, Executor, PgConnection};

use watchpost_store::{DatabaseTarget, Store};

use crate::roles::{SCRIPT, Team, connect, refused};
use crate::support::World;

/// What the script says where it ends before its time, and what to do.
async fn told(connection: &mut PgConnection) -> (String, String) {
    let error = connection.execute(AssertSqlSafe(SCRIPT.to_owned())).await.expect_err("it is refused");
    connection.execute("ROLLBACK").await.expect("nothing of it stays");
    let error = error.into_database_error().expect("it is the server that refuses");
    let error = error.downcast_ref::<sqlx::postgres::PgDatabaseError>();
    (error.message().to_owned(), error.hint().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn it_may_be_run_again_while_people_work() {
    let Some(mut team) = Team::new().await else { return };
    let mut analyst = connect(&team.target("analyst")).await;
    let (end, mut ends) = tokio::sync::oneshot::channel::<()>();
    let owner = &mut team.owner;
    let again = async move {
        for _ in 0..5 {
            owner.execute(AssertSqlSafe(SCRIPT.to_owned())).await.expect("it gets the tables");
        }
        // Whoever listens is there until this.
        let _ = end.send(());
    };
    let works = async {
        while ends.try_recv().is_err() {
            assert_eq!(refused(&mut analyst, "SELECT COUNT(*) FROM incident").await, None);
        }
    };
    tokio::join!(again, works);
}

#[tokio::test]
async fn of_an_older_schema_it_says_what_to_do_and_changes_nothing() {
    let Some(mut team) = Team::new().await else { return };
    let older = "DELETE FROM schema_version WHERE version = (SELECT MAX(version) FROM schema_version)";
    team.world.tamper(older).await;
    let (message, hint) = told(&mut team.owner).await;
    assert!(message.contains("and this script is for"), "{message}");
    assert!(hint.contains("Open the database once with the version"), "{hint}");
    let mut analyst = connect(&team.target("analyst")).await;
    assert_eq!(refused(&mut analyst, "SELECT COUNT(*) FROM incident").await, None, "nobody is locked out");
}

#[tokio::test]
async fn who_may_not_run_it_is_told_who_may() {
    let Some(mut team) = Team::new().await else { return };
    let mut analyst = connect(&team.target("analyst")).await;
    let (message, hint) = told(&mut analyst).await;
    assert!(message.starts_with("the tables belong to"), "{message}");
    assert!(hint.contains("as a superuser"), "{hint}");
    assert_eq!(refused(&mut team.owner, "SELECT 1").await, None);
}

#[tokio::test]
async fn what_an_extension_has_in_the_schema_stays_as_it_is() {
    let Some(world) = World::postgres().await else { return };
    let mut admin = connect(&world.target).await;
    let mut target = world.target.clone();
    let DatabaseTarget::Postgres { database, username, .. } = &mut target else { unreachable!() };
    *username = format!("owner_{database}");
    *database = format!("of_{database}");
    let (owner, theirs) = (username.clone(), database.clone());
    let role = format!("CREATE ROLE {owner} LOGIN CREATEROLE");
    for sql in [role, format!("CREATE DATABASE {theirs} OWNER {owner}")] {
        admin.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    drop(Store::open(&target, world.clock.clone()).await.unwrap());
    let mut as_admin = target.clone();
    if let DatabaseTarget::Postgres { username, .. } = &mut as_admin {
        "watchpost".clone_into(username);
    }
    // As `pg_stat_statements` and `dblink` have them, of an extension that every server has.
    connect(&as_admin)
        .await
        .execute(
            "CREATE FUNCTION public.theirs() RETURNS integer LANGUAGE sql AS 'SELECT 1';
             REVOKE ALL ON FUNCTION public.theirs() FROM PUBLIC;
             ALTER EXTENSION plpgsql ADD FUNCTION public.theirs();
             CREATE VIEW public.seen AS SELECT 1;
             GRANT SELECT ON public.seen TO PUBLIC;
             ALTER EXTENSION plpgsql ADD VIEW public.seen;
             CREATE TABLE public.unseen (n integer)",
        )
        .await
        .unwrap();
    for target in [&target, &target, &as_admin] {
        let ran = connect(target).await.execute(AssertSqlSafe(SCRIPT.to_owned())).await;
        assert!(ran.is_ok(), "{ran:?}");
    }
    let viewer = format!("viewer_{theirs}");
    admin
        .execute(AssertSqlSafe(format!("CREATE ROLE {viewer} LOGIN IN ROLE watchpost_viewer")))
        .await
        .unwrap();
    if let DatabaseTarget::Postgres { username, .. } = &mut target {
        *username = viewer;
    }
    let mut viewer = connect(&target).await;
    for sql in ["SELECT * FROM seen", "SELECT COUNT(*) FROM incident"] {
        assert_eq!(refused(&mut viewer, sql).await, None, "{sql}");
    }
    for sql in ["SELECT theirs()", "SELECT * FROM unseen", "SELECT * FROM subject_key"] {
        assert_eq!(refused(&mut viewer, sql).await.as_deref(), Some("42501"), "{sql}");
    }
}
