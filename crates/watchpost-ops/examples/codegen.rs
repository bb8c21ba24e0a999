//! Writes the TypeScript bindings into the folder given as argument.
#![expect(clippy::print_stdout, reason = "a command-line tool")]

fn main() -> std::io::Result<()> {
    let folder =
        std::path::PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "ui/src/generated".into()));
    std::fs::create_dir_all(&folder)?;
    for (name, content) in watchpost_ops::codegen::typescript() {
        std::fs::write(folder.join(&name), content)?;
        println!("{name}");
    }
    Ok(())
}
