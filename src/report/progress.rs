//! Progress on work that takes longer than two seconds: a bar on a terminal, JSON lines on request.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Nothing is shown before this.
const QUIET: Duration = Duration::from_secs(2);
/// JSON lines come this far apart.
const EVERY: Duration = Duration::from_secs(1);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProgressMode {
    /// A bar where standard error is a terminal, else nothing.
    #[default]
    Auto,
    /// One JSON object a line on standard error.
    Json,
    /// Nothing.
    None,
}

/// Progress of one command; clones share it.
#[derive(Debug, Clone)]
pub struct Progress {
    mode: ProgressMode,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    phase: &'static str,
    started: Instant,
    phase_started: Instant,
    last_line: Instant,
    done: u64,
    total: u64,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Progress in a mode.
    pub fn new(mode: ProgressMode) -> Self {
        let now = Instant::now();
        let state = State {
            phase: "",
            started: now,
            phase_started: now,
            last_line: now,
            done: 0,
            total: 0,
            bar: None,
        };
        Self {
            mode,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Begins a phase of `total` rows (or bytes); 0: nobody knows how many.
    pub fn phase(&self, name: &'static str, total: u64) {
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        if let Some(bar) = state.bar.take() {
            bar.finish_and_clear();
        }
        state.phase = name;
        state.phase_started = Instant::now();
        state.done = 0;
        state.total = total;
    }

    /// Counts rows (or bytes) done. Rows of a unit that starts again count twice; the bar stays at its end.
    pub fn add(&self, count: u64) {
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        state.done += count;
        if state.total > 0 {
            state.done = state.done.min(state.total);
        }
        if state.started.elapsed() < QUIET {
            return;
        }
        match self.mode {
            ProgressMode::None => {}
            ProgressMode::Auto => state.draw(),
            ProgressMode::Json => {
                if state.last_line.elapsed() >= EVERY {
                    state.last_line = Instant::now();
                    state.print_json();
                }
            }
        }
    }

    /// Removes what is shown.
    pub fn finish(&self) {
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        if let Some(bar) = state.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl State {
    fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let done = self.done as f64;
        done / self.phase_started.elapsed().as_secs_f64().max(1e-3)
    }

    fn draw(&mut self) {
        if self.bar.is_none() {
            let bar = ProgressBar::with_draw_target(Some(self.total), ProgressDrawTarget::stderr());
            let template = match self.total {
                0 => "{prefix:>12} {human_pos} {per_sec}",
                _ => "{prefix:>12} [{bar:30}] {human_pos}/{human_len} {per_sec} eta {eta}",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(self.phase);
            self.bar = Some(bar.with_elapsed(self.phase_started.elapsed()));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }

    fn print_json(&self) {
        let rate = self.rate();
        #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
        let left = self.total.saturating_sub(self.done) as f64;
        let line = serde_json::json!({
            "phase": self.phase,
            "done": self.done,
            "total": self.total,
            "per_second": rate.round(),
            "eta_seconds": (left / rate.max(1e-3)).round(),
        });
        // A closed standard error must not end the job.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}
