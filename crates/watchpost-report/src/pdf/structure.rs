//! What each part of the report is: headings, paragraphs, tables, figures. What is drawn says to which part it belongs;
//! the archive profile writes it into the file for those who do not see the page.

/// What a part is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// Things that belong together.
    Section,
    /// A heading of a level, from 1, with its words.
    Heading(u16, String),
    /// Running text.
    Paragraph,
    /// The table of contents.
    Contents,
    /// One line of the contents.
    Entry,
    /// What leads elsewhere.
    Link,
    /// A table.
    Table,
    /// What a table holds.
    Caption,
    /// The heads of a table.
    Heads,
    /// The rows of a table.
    Rows,
    /// One row.
    Row,
    /// The head of a column.
    Head,
    /// A cell.
    Cell,
    /// A drawing, said in words.
    Figure(String),
}

impl Role {
    /// Does it hold text itself? Others hold parts.
    const fn holds_text(&self) -> bool {
        match self {
            Self::Heading(..)
            | Self::Paragraph
            | Self::Link
            | Self::Caption
            | Self::Head
            | Self::Cell
            | Self::Figure(_) => true,
            Self::Section
            | Self::Contents
            | Self::Entry
            | Self::Table
            | Self::Heads
            | Self::Rows
            | Self::Row => false,
        }
    }
}

/// A part, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PartId(pub(crate) usize);

/// A part with those below it.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) role: Role,
    pub(crate) children: Vec<PartId>,
}

/// All parts, in the order in which they are read.
#[derive(Debug, Default)]
pub(crate) struct Structure {
    pub(crate) parts: Vec<Part>,
    pub(crate) top: Vec<PartId>,
    open: Vec<PartId>,
}

impl Structure {
    /// Begins a part below the one that is open.
    pub(crate) fn open(&mut self, role: Role) -> PartId {
        let id = PartId(self.parts.len());
        self.parts.push(Part { role, children: Vec::new() });
        match self.open.last() {
            Some(above) => self.parts[above.0].children.push(id),
            None => self.top.push(id),
        }
        self.open.push(id);
        id
    }

    /// Goes on with a part that was ended.
    pub(crate) fn reopen(&mut self, id: PartId) {
        self.open.push(id);
    }

    /// Ends the part that was begun last.
    pub(crate) fn close(&mut self) {
        self.open.pop();
    }

    /// The part that takes text now; `None` between parts, where what is drawn means nothing by itself.
    pub(crate) fn current(&self) -> Option<PartId> {
        self.open.last().copied().filter(|id| self.parts[id.0].role.holds_text())
    }

    /// Is the open part a drawing?
    pub(crate) fn in_figure(&self) -> bool {
        self.open.last().is_some_and(|id| matches!(self.parts[id.0].role, Role::Figure(_)))
    }
}
