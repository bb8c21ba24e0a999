//! A plain table as CSV: one line of names, then rows, each written as it comes.

use std::io::Write;

use csv::{Terminator, Writer, WriterBuilder};

use crate::csv::whole_cell;
use crate::{ReportError, WriteError};

/// Writes a table line by line; cells that a spreadsheet would run are disarmed as in reports, and none is cut: it is data,
/// though a spreadsheet shows 32,767 characters of a cell.
pub struct TableWriter<W: Write> {
    out: Writer<W>,
}

impl<W: Write> TableWriter<W> {
    /// Begins with the names of the columns.
    ///
    /// # Errors
    /// `Place` if `out` cannot take it.
    pub fn new(out: W, names: &[&str]) -> Result<Self, ReportError> {
        let mut out = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        out.write_record(names)?;
        Ok(Self { out })
    }

    /// Adds a row: as many cells as there are names.
    ///
    /// # Errors
    /// `Place` if the place cannot take it, `Csv` for another number of cells.
    pub fn row<'a>(&mut self, cells: impl Iterator<Item = &'a str>) -> Result<(), ReportError> {
        for cell in cells {
            self.out.write_field(whole_cell(cell).as_bytes())?;
        }
        Ok(self.out.write_record(None::<&[u8]>)?)
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// What the place says.
    pub fn finish(mut self) -> Result<(), WriteError> {
        self.out.flush().map_err(|error| WriteError::at(std::path::Path::new("the table"), error))
    }
}

#[cfg(test)]
mod tests {
    use super::TableWriter;

    #[test]
    fn a_long_cell_is_whole() {
        let mut bytes = Vec::new();
        let mut table = TableWriter::new(&mut bytes, &["a"]).expect("names");
        let long = format!("={}\u{202e}", "x".repeat(100_000));
        table.row([long.as_str()].into_iter()).expect("a row");
        table.finish().expect("the rest");
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.contains(&format!("'={}\\u{{202e}}", "x".repeat(100_000))), "{}", text.len());
    }

    #[test]
    fn cells_are_disarmed_and_quoted() {
        let mut bytes = Vec::new();
        let mut table = TableWriter::new(&mut bytes, &["a", "b"]).expect("names");
        table.row(["=cmd()", "x, \"y\""].into_iter()).expect("a row");
        table.finish().expect("the rest");
        assert_eq!(String::from_utf8(bytes).expect("text"), "a,b\r\n'=cmd(),\"x, \"\"y\"\"\"\r\n");
    }
}
