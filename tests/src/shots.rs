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
use crate::scenes::{SCENES, Scene, Step};
use crate::seed;
use crate::window::Window;

/// The status bar names the workspace once it is open.
const WORKSPACE: &str = ".workspace[data-test=status-workspace]";
/// A light panel that has nothing of what scenes of other panels click.
const ELSEWHERE: &str = "#/entities";
/// How long a panel may go on changing before it is pictured anyway: live panels never rest.
const SETTLE: Duration = Duration::from_secs(6);
/// How long a scene waits for what it shows: the preview of a report asks everything of two weeks.
const PATIENCE: Duration = Duration::from_secs(90);
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

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    /// The pictures.
    pub pictures: Vec<PathBuf>,
    /// What has no picture, and what of the seed failed, each with why.
    pub failed: Vec<String>,
}

impl Shots {
    /// Fills a fresh home with simulated traffic and what people did about it, opens the window on it, and pictures every
    /// panel. A scene that cannot be pictured is told at the end: the others are worth a look without it.
    ///
    /// # Errors
    /// When the traffic cannot be made or the window does not open.
    pub async fn take(&self) -> Result<Taken> {
        fs::create_dir_all(&self.out).with_context(|| format!("failed to make {}", self.out.display()))?;
        let home = Home::new("shots")?;
        home.session().await?;
        seed::traffic(&home).await?;
        let mut taken = Taken { failed: seed::deeds(&home).await, ..Taken::default() };
        let mut window = Window::launch(&home).await?;
        window.set_patience(PATIENCE);
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
                        match self.scene(&window, scene, *theme, *size).await {
                            Ok(picture) => taken.pictures.push(picture),
                            Err(error) => {
                                taken.failed.push(format!("{} {size}: {error:#}", theme.as_str()));
                            }
                        }
                    }
                }
            }
        }
        window.close().await?;
        Ok(taken)
    }

    fn wants(&self, scene: &Scene) -> bool {
        self.only.is_empty() || self.only.iter().any(|begin| scene.name.starts_with(begin.as_str()))
    }

    async fn scene(&self, window: &Window, scene: &Scene, theme: Theme, size: Size) -> Result<PathBuf> {
        let path = self.out.join(format!("{}-{}-{size}.png", scene.name, theme.as_str()));
        play(window, scene).await.with_context(|| format!("the picture {:?}", scene.name))?;
        settle(window, &path).await.with_context(|| format!("the picture {:?}", scene.name))?;
        Ok(path)
    }
}

/// Goes where the picture is taken. A page or a dialog of the scene before is left by coming from another panel: what is
/// clicked is then of this scene.
async fn play(window: &Window, scene: &Scene) -> Result<()> {
    window.go(ELSEWHERE).await?;
    window.reload().await?;
    window.wait_for(WORKSPACE).await?;
    window.go(scene.route).await?;
    for step in scene.steps {
        match step {
            Step::Click(css) => {
                stands(window, css).await?;
                window.click(css).await?;
            }
            Step::Press(keys) => window.press(keys).await?,
            Step::Wait(css) => window.wait_for(css).await.map(|_| ())?,
            Step::Type(css, text) => window.type_into(css, text).await?,
        }
    }
    Ok(())
}

/// Waits until what is to be clicked is where it was at the look before: what moves while it is clicked is missed, and
/// its neighbour is hit.
async fn stands(window: &Window, css: &str) -> Result<()> {
    window.wait_for(css).await?;
    let script = format!(
        "const found = [...document.querySelectorAll({})].find((one) => one.getClientRects().length > 0); \
         if (found === undefined) return false; \
         const {{ x, y, width, height }} = found.getBoundingClientRect(); \
         const place = [location.hash, x, y, width, height].join(' '); \
         const before = window.watchpostStood; \
         window.watchpostStood = place; \
         return place === before;",
        json!(css)
    );
    window.wait_until(&format!("`{css}` to stand still"), &script).await
}

/// Is there something on the canvas of every chart that has a place? One that was not drawn yet is transparent all over.
const CHARTS_DRAWN: &str = "return [...document.querySelectorAll('.canvas')].every((place) => { \
    if (place.clientWidth === 0) return true; \
    const canvas = place.querySelector('canvas'); \
    if (canvas === null || canvas.width === 0 || canvas.height === 0) return false; \
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data; \
    return pixels.some((value) => value !== 0); \
})";

/// Writes the picture once nothing is loading, every chart is drawn and two looks in a row are the same.
async fn settle(window: &Window, path: &Path) -> Result<()> {
    let deadline = Instant::now() + SETTLE;
    window
        .wait_until(
            "the panel to load",
            "return !document.querySelector('[aria-busy=true], [data-test=loading]')",
        )
        .await?;
    window.wait_until("the charts to be drawn", CHARTS_DRAWN).await?;
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
