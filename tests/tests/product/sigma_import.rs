//! Thousands of Sigma rules at once: what is printed stays readable, and nothing is left out of the JSON.

use anyhow::{Context, Result};
use watchpost_tests::Home;

const N_GOOD: usize = 300;
const N_BROKEN: usize = 200;

fn rule(n: usize, item: &str) -> String {
    format!(
        "title: Rule {n}\nid: 00000000-0000-4000-8000-{n:012}\nstatus: test\nlogsource:\n    category: process_creation\n\
         detection:\n    selection:\n        {item}\n    condition: selection\nlevel: low\n"
    )
}

#[tokio::test]
async fn of_many_rules_some_problems_are_shown_and_all_are_counted() -> Result<()> {
    let home = Home::new("an import of many rules")?;
    let folder = home.work().join("public");
    std::fs::create_dir_all(&folder)?;
    for n in 0..N_GOOD {
        let ending = if n % 2 == 0 { "yml" } else { "YAML" };
        std::fs::write(folder.join(format!("good{n}.{ending}")), rule(n, "CommandLine: x"))?;
    }
    for n in 0..N_BROKEN {
        std::fs::write(folder.join(format!("bad{n}.yml")), rule(1_000 + n, "CommandLine|containz: x"))?;
    }
    std::fs::write(folder.join("late.yml"), rule(2_000, "CommandLine|re: '(open'"))?;
    let path = folder.to_string_lossy().into_owned();

    let told = home.cli(["rules", "import-sigma", &path]).await?;
    assert_eq!(told.status.code(), Some(1), "some were refused: {}", told.stderr);
    assert!(told.stdout.lines().count() < 60, "{}", told.stdout);
    for words in [
        "late.yml:8: error: the regular expression `(open`",
        "`|containz` is no modifier",
        "300 of 501 files copied",
        "0 files imported, 300 not applicable (log source), 201 not supported",
    ] {
        assert!(told.stdout.contains(words), "{words}: {}", told.stdout);
    }
    let counted = |n: usize, what: &str| {
        told.stdout
            .lines()
            .any(|line| line.contains(what) && line.split_whitespace().next() == Some(&n.to_string()))
    };
    assert!(counted(N_BROKEN, "a field, a modifier"), "{}", told.stdout);
    assert!(counted(N_GOOD, "for other logs"), "{}", told.stdout);

    let told = home.cli(["--output", "json", "rules", "import-sigma", &path]).await?;
    let report: serde_json::Value = serde_json::from_str(&told.stdout).context("JSON")?;
    let files = report["files"].as_array().context("the files")?;
    let refused = files.iter().filter(|file| file["rules"] == 0);
    assert_eq!((files.len(), refused.count()), (N_GOOD + N_BROKEN + 1, N_BROKEN + 1));
    assert!(files.iter().all(|file| file["problems"].as_array().is_some_and(|all| all.len() == 1)));
    Ok(())
}

/// Of a few files each is told what became of it.
#[tokio::test]
async fn of_few_rules_each_file_is_told() -> Result<()> {
    let home = Home::new("an import of few rules")?;
    let folder = home.work().join("few");
    std::fs::create_dir_all(&folder)?;
    let web = rule(1, "c-uri|contains: /x").replace("process_creation", "webserver");
    let counting =
        rule(2, "c-uri: /x").replace("condition: selection", "condition: selection | count() by c-ip > 5");
    std::fs::write(folder.join("web.yml"), web)?;
    std::fs::write(folder.join("process.yml"), rule(3, "CommandLine: x"))?;
    std::fs::write(folder.join("counting.yml"), counting)?;
    let path = folder.to_string_lossy().into_owned();
    let told = home.cli(["rules", "import-sigma", &path]).await?;
    assert_eq!(told.status.code(), Some(1), "one was refused: {}", told.stderr);
    for (file, outcome) in [
        ("web.yml", "imported"),
        ("process.yml", "not applicable (log source)"),
        ("counting.yml", "not supported"),
    ] {
        let is_told = |line: &str| line.trim_start().starts_with(file) && line.contains(outcome);
        assert!(told.stdout.lines().any(is_told), "{file}: {}", told.stdout);
    }
    assert!(told.stdout.contains("counting.yml:9: error: `| count() by c-ip > 5`"), "{}", told.stdout);
    Ok(())
}
