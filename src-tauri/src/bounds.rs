//! Where windows stood and how large they were: kept in a file for the next start.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tauri::{PhysicalPosition, PhysicalSize, WebviewWindow};

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

    use super::{Bounds, Kept};

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
