//! Where windows stood and how large they were: kept in a file for the next start.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tauri::{LogicalSize, PhysicalPosition, PhysicalSize, WebviewWindow};

/// Height of the title bar that a desktop draws above a window, in logical pixels: rather more than it is.
const TITLE_BAR: f64 = 40.0;

/// Place and size of a window, in pixels of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bounds {
    x: i32,
    y: i32,
    width: u32,
    height: u32,
    /// Over the whole screen; the others are what it goes back to.
    #[serde(default)]
    maximized: bool,
}

/// What is kept of the windows of this console.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Of the first window.
    #[serde(default)]
    pub(crate) main: Option<Bounds>,
    /// Of the window of its own that was used last.
    #[serde(default)]
    pub(crate) beside: Option<Bounds>,
}

impl Bounds {
    /// Those of a window; `before` is what was known of it.
    pub(crate) fn of(window: &WebviewWindow, before: Option<Self>) -> Option<Self> {
        if window.is_minimized().unwrap_or_default() {
            return before;
        }
        let maximized = window.is_maximized().unwrap_or_default();
        if let (true, Some(before)) = (maximized, before) {
            return Some(Self { maximized, ..before });
        }
        let (position, size) = (window.outer_position().ok()?, window.inner_size().ok()?);
        Some(Self { x: position.x, y: position.y, width: size.width, height: size.height, maximized })
    }

    /// The same, a step further to the right and down.
    pub(crate) fn stepped(self, step: i32) -> Self {
        Self { x: self.x.saturating_add(step), y: self.y.saturating_add(step), maximized: false, ..self }
    }

    /// Is its upper edge on one of the screens, where a person can take hold of it? One may have been unplugged.
    fn is_on(self, screens: &[(PhysicalPosition<i32>, PhysicalSize<u32>)]) -> bool {
        let (x, y) = (i64::from(self.x) + i64::from(self.width / 2), i64::from(self.y));
        screens.iter().any(|(position, size)| {
            let (left, top) = (i64::from(position.x), i64::from(position.y));
            (left..left + i64::from(size.width)).contains(&x)
                && (top..top + i64::from(size.height)).contains(&y)
        })
    }

    /// Puts a window there. Where the desktop places windows by itself it goes on doing so.
    pub(crate) fn place(self, window: &WebviewWindow) {
        let screens: Vec<_> = window
            .available_monitors()
            .unwrap_or_default()
            .iter()
            .map(|screen| (*screen.position(), *screen.size()))
            .collect();
        let mut placed = window.set_size(PhysicalSize::new(self.width, self.height));
        if self.is_on(&screens) {
            placed = placed.and_then(|()| window.set_position(PhysicalPosition::new(self.x, self.y)));
        }
        if self.maximized {
            placed = placed.and_then(|()| window.maximize());
        }
        if let Err(problem) = placed {
            tracing::debug!(%problem, "a window stands where the desktop put it");
        }
    }
}

/// Makes a window that stood nowhere yet no larger than its screen has room for.
pub(crate) fn fit(window: &WebviewWindow) {
    // A window that is not shown yet is on no screen; the primary one is named then, where the desktop has one.
    let first = || window.available_monitors().unwrap_or_default().into_iter().next();
    let Some(screen) = window.current_monitor().ok().flatten().or_else(first) else { return };
    let Ok(size) = window.inner_size() else { return };
    let bar: PhysicalSize<u32> = LogicalSize::new(0.0, TITLE_BAR).to_physical(screen.scale_factor());
    if let Some(smaller) = fitted(size, screen.work_area().size, bar.height)
        && let Err(problem) = window.set_size(smaller)
    {
        tracing::debug!(%problem, "a window is as large as the desktop made it");
    }
}

/// The size that fits into a room below a title bar; nothing for one that fits already.
fn fitted(size: PhysicalSize<u32>, room: PhysicalSize<u32>, bar: u32) -> Option<PhysicalSize<u32>> {
    let height = size.height.min(room.height.saturating_sub(bar));
    let smaller = PhysicalSize::new(size.width.min(room.width), height);
    // A screen that names no room says nothing.
    (smaller != size && smaller.width > 0 && smaller.height > 0).then_some(smaller)
}

impl Kept {
    /// Reads what was kept; nothing where there is nothing that can be read.
    pub(crate) fn read(file: &Path) -> Self {
        let Ok(bytes) = std::fs::read(file) else { return Self::default() };
        serde_json::from_slice(&bytes).unwrap_or_else(|problem| {
            tracing::debug!(%problem, file = %file.display(), "where the windows stood cannot be read");
            Self::default()
        })
    }

    /// Keeps it, whole or not at all.
    pub(crate) fn write(self, file: &Path) {
        let part = file.with_extension(format!("part-{}", std::process::id()));
        let written = serde_json::to_vec(&self).map_err(std::io::Error::from).and_then(|json| {
            file.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(&part, json)?;
            std::fs::rename(&part, file)
        });
        if let Err(problem) = written {
            tracing::warn!(%problem, file = %file.display(), "where the windows stand was not kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use tauri::{PhysicalPosition, PhysicalSize};

    use super::{Bounds, Kept, fitted};

    const BOUNDS: Bounds = Bounds { x: 100, y: 50, width: 1_000, height: 700, maximized: false };

    #[test]
    fn a_window_comes_back_where_a_person_can_take_hold_of_it() {
        let screen = (PhysicalPosition::new(0, 0), PhysicalSize::new(1_920, 1_080));
        let right = (PhysicalPosition::new(1_920, 0), PhysicalSize::new(1_920, 1_080));
        assert!(BOUNDS.is_on(&[screen]));
        let far = Bounds { x: 2_500, ..BOUNDS };
        assert!(far.is_on(&[screen, right]) && !far.is_on(&[screen]), "its screen was unplugged");
        assert!(!Bounds { y: -40, ..BOUNDS }.is_on(&[screen]), "its title is above the screen");
        assert!(!BOUNDS.is_on(&[]));
        assert!(!Bounds { x: i32::MAX, width: u32::MAX, ..BOUNDS }.stepped(32).is_on(&[screen]));
    }

    #[test]
    fn a_first_window_is_no_larger_than_its_screen() {
        let size = |width, height| PhysicalSize::new(width, height);
        for (room, expected) in [
            (size(1_920, 1_053), None),
            (size(1_440, 940), None),
            (size(1_366, 728), Some(size(1_366, 688))),
            (size(1_280, 1_024), Some(size(1_280, 900))),
            (size(2_560, 800), Some(size(1_440, 760))),
            (size(0, 0), None),
        ] {
            assert_eq!(fitted(size(1_440, 900), room, 40), expected, "in {room:?}");
        }
    }

    #[test]
    fn what_is_kept_is_read_again_and_what_is_none_is_nothing() {
        let folder = std::env::temp_dir().join(format!("watchpost-bounds-{}", std::process::id()));
        let file = folder.join("deeper").join("window.json");
        assert_eq!(Kept::read(&file), Kept::default());
        let kept =
            Kept { main: Some(Bounds { maximized: true, ..BOUNDS }), beside: Some(BOUNDS.stepped(32)) };
        kept.write(&file);
        assert_eq!(Kept::read(&file), kept);
        std::fs::write(&file, "{\"main\": 7").unwrap();
        assert_eq!(Kept::read(&file), Kept::default());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
