//! A picture of every panel, in every theme and size asked for.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::home::Home;
use crate::mmdb::{Value, city, mmdb};
use crate::scenes::{SCENES, Scene, Step};
use crate::window::Window;

/// The status bar names the workspace once it is open.
const WORKSPACE: &str = ".workspace[data-test=status-workspace]";
/// How long a panel may go on changing before it is pictured anyway: live panels never rest.
const SETTLE: Duration = Duration::from_secs(6);
/// Between two looks at whether a panel still changes.
const LOOK: Duration = Duration::from_millis(250);

/// A window size in CSS pixels, written `1440x900`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for Size {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (width, height) = text.split_once('x').context("a size is written like 1440x900")?;
        let size = Self { width: width.parse()?, height: height.parse()? };
        ensure!(
            (320..=2560).contains(&size.width) && (240..=1600).contains(&size.height),
            "a size lies between 320x240 and 2560x1600"
        );
        Ok(size)
    }
}

/// The appearance of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
    /// White on black, with strong lines.
    Contrast,
}

impl Theme {
    /// The word the settings keep.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Contrast => "contrast",
        }
    }
}

impl FromStr for Theme {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "dark" => Ok(Self::Dark),
            "light" => Ok(Self::Light),
            "contrast" => Ok(Self::Contrast),
            other => bail!("{other:?} is no theme: dark, light or contrast"),
        }
    }
}

/// What to picture and where to put it.
#[derive(Debug, Clone)]
pub struct Shots {
    /// The directory of the pictures; made when missing.
    pub out: PathBuf,
    /// The window sizes.
    pub sizes: Vec<Size>,
    /// The themes.
    pub themes: Vec<Theme>,
    /// The language of the window, as it is stored there.
    pub language: String,
    /// Only pictures whose name begins with one of these; empty means all.
    pub only: Vec<String>,
}

impl Shots {
    /// Fills a fresh home with simulated traffic, opens the window on it, and pictures every panel.
    ///
    /// # Errors
    /// When the traffic cannot be made, the window does not open, or a panel does not render.
    pub async fn take(&self) -> Result<Vec<PathBuf>> {
        fs::create_dir_all(&self.out).with_context(|| format!("failed to make {}", self.out.display()))?;
        let home = Home::new("shots")?;
        home.session().await?;
        seed(&home).await?;
        let window = Window::launch(&home).await?;
        let mut pictures = Vec::new();
        for theme in &self.themes {
            let word = json!(theme.as_str());
            let store = "localStorage.setItem('watchpost.theme', arguments[0]); \
                localStorage.setItem('watchpost.language', arguments[1])";
            window.run(store, vec![word, json!(self.language)]).await?;
            window.reload().await?;
            window.wait_for(WORKSPACE).await?;
            for size in &self.sizes {
                window.resize(size.width, size.height).await?;
                for scene in SCENES {
                    if self.wants(scene) {
                        play(&window, scene).await?;
                        pictures.push(self.picture(&window, scene.name, *theme, *size).await?);
                    }
                }
            }
        }
        window.close().await?;
        Ok(pictures)
    }

    fn wants(&self, scene: &Scene) -> bool {
        self.only.is_empty() || self.only.iter().any(|begin| scene.name.starts_with(begin.as_str()))
    }

    async fn picture(&self, window: &Window, name: &str, theme: Theme, size: Size) -> Result<PathBuf> {
        let path = self.out.join(format!("{name}-{}-{size}.png", theme.as_str()));
        settle(window, &path).await?;
        Ok(path)
    }
}

/// Two weeks of traffic with attacks inside, read and judged by the engine.
async fn seed(home: &Home) -> Result<()> {
    let places = home.work().join("places.mmdb");
    fs::write(&places, mmdb("Simulated-City", BUILT, &places_of_simulation()))?;
    home.cli(["config", "location", "--city", &places.to_string_lossy()]).await?.ok()?;
    home.cli(["simulate", "--seed", "7", "--days", "14"]).await?.ok()?;
    home.cli(["serve", "--until-idle"]).await?.ok()?;
    Ok(())
}

/// When the location file of the pictures was made: 2026-01-01.
const BUILT: u64 = 1_767_225_600;

/// Where the simulated people are, by the first part of their addresses, and some who attack them.
fn places_of_simulation() -> Vec<(&'static str, u8, Value)> {
    [
        ("84.0.0.0", 8, "DE", "Berlin", 52.5, 13.4),
        ("86.0.0.0", 8, "GB", "London", 51.5, -0.1),
        ("72.0.0.0", 8, "US", "New York", 40.7, -74.0),
        ("90.0.0.0", 8, "FR", "Paris", 48.9, 2.4),
        ("103.0.0.0", 8, "IN", "Mumbai", 19.1, 72.9),
        ("177.0.0.0", 8, "BR", "Rio de Janeiro", -22.9, -43.2),
        ("126.0.0.0", 8, "JP", "Tokyo", 35.7, 139.7),
        ("203.0.113.0", 24, "SG", "Singapore", 1.35, 103.8),
        ("198.51.100.0", 24, "NL", "Amsterdam", 52.4, 4.9),
    ]
    .map(|(network, length, country, name, lat, lon)| (network, length, city(country, name, lat, lon)))
    .into()
}

/// Goes where the picture is taken. A dialog of the scene before is left by coming from another panel.
async fn play(window: &Window, scene: &Scene) -> Result<()> {
    window.reload().await?;
    window.wait_for(WORKSPACE).await?;
    window.go(scene.route).await?;
    for step in scene.steps {
        let done = match step {
            Step::Click(css) => window.click(css).await,
            Step::Press(keys) => window.press(keys).await,
            Step::Wait(css) => window.wait_for(css).await.map(|_| ()),
            Step::Type(css, text) => window.type_into(css, text).await,
        };
        done.with_context(|| format!("the picture {:?}", scene.name))?;
    }
    Ok(())
}

/// Writes the picture once nothing is loading and two looks in a row are the same.
async fn settle(window: &Window, path: &Path) -> Result<()> {
    let deadline = Instant::now() + SETTLE;
    window
        .wait_until(
            "the panel to load",
            "return !document.querySelector('[aria-busy=true], [data-test=loading]')",
        )
        .await?;
    let mut before = window.picture().await?;
    loop {
        // Not a wait for a time: the two looks must lie apart, or an animation between them is not seen.
        sleep(LOOK).await;
        let now = window.picture().await?;
        if now == before || Instant::now() >= deadline {
            return fs::write(path, now).with_context(|| format!("failed to write {}", path.display()));
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::{Size, Theme};

    #[test]
    fn sizes_and_themes_read_what_they_write() {
        let size: Size = "1440x900".parse().unwrap();
        assert_eq!(size, Size { width: 1440, height: 900 });
        assert_eq!(size.to_string(), "1440x900");
        for theme in [Theme::Dark, Theme::Light, Theme::Contrast] {
            assert_eq!(theme.as_str().parse::<Theme>().unwrap(), theme);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "1440", "1440x", "10x10", "99999x900", "1440×900"] {
            assert!(text.parse::<Size>().is_err(), "{text:?} is no size");
        }
        assert!("purple".parse::<Theme>().is_err());
    }
}
