//! Writes one log line per event. `info`: work is done. `warn`: heals by itself. `error`: needs a person.

mod ledger;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) use ledger::{damaged, forgotten, ledger_step, not_closed, rebuilt, restored};

use crate::config::{Config, Folder};
use crate::fs::disk_space::TooFull;
use crate::fs::path_error::PathError;
use crate::imaging::{CutReport, CutoutError};
use crate::intake::Polled;
use crate::job::{Explained, Job, JobError, Origin, Outcome, SourceResult};
use crate::percent;
use crate::worker::Confinement;

pub(super) fn confinement(confinement: Confinement) {
    let Confinement { landlock, seccomp } = confinement;
    if !(landlock && seccomp) {
        tracing::warn!(
            landlock,
            seccomp,
            "this kernel cannot sandbox the workers completely"
        );
    }
}

pub(super) fn ready(config: &Config) {
    no_folder(config);
    unwise(config);
    tracing::info!(
        folders = config.folders.len(),
        workers = config.daemon.workers,
        "ready"
    );
}

pub(super) fn unwise(config: &Config) {
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
}

pub(super) fn no_folder(config: &Config) {
    if config.folders.is_empty() {
        tracing::warn!(
            "no folder is configured yet; add a [[folder]] to the configuration and restart hotcut"
        );
    }
}

pub(super) fn refused(error: &dyn std::error::Error) {
    tracing::error!(%error, "the new configuration was rejected; the old one stays active");
}

pub(super) fn online(folder: &Folder, polled: Option<&Polled>) {
    let (name, input) = (&folder.name, folder.input.display());
    match polled {
        None => tracing::info!(folder = name, %input, "online: the folder is watched"),
        Some(Polled::Deaf(kind)) => tracing::info!(
            folder = name, %input, kind, "polling: this file system does not report what others write"
        ),
        Some(Polled::Unwatchable(error)) => tracing::warn!(
            folder = name, %input, %error, "polling: the folder cannot be watched"
        ),
    }
}

pub(super) fn offline(folder: &Folder, error: &PathError) {
    tracing::warn!(folder = folder.name, %error, "offline: the folder cannot be read; hotcut checks it until it can be read again");
}

pub(super) fn silent(folder: &Folder, reason: &str) {
    let input = folder.input.display();
    tracing::warn!(folder = folder.name, %input, "offline: {reason}; the folder is served again once it does");
}

pub(super) fn mounted_over(folder: &Folder, mount_point: &Path) {
    let mount_point = percent::display(mount_point);
    tracing::info!(
        folder = folder.name,
        mount_point,
        "a disk was mounted over the output folder; if it is unmounted, the folder waits for it"
    );
}

pub(super) fn unreadable(folder: &Folder, error: &PathError) {
    tracing::error!(folder = folder.name, %error, "a subfolder cannot be read");
}

pub(super) fn removed(folder: &Folder, subfolder: &Path) {
    let subfolder = percent::display(subfolder);
    tracing::info!(folder = folder.name, %subfolder, "an emptied subfolder is removed (tidy)");
}

pub(super) fn unremovable(folder: &Folder, error: &PathError) {
    tracing::warn!(folder = folder.name, %error, "an emptied subfolder cannot be removed (tidy)");
}

pub(super) fn paused(folder: &Folder, error: &JobError) {
    let reason = error.pause_reason();
    tracing::error!(folder = folder.name, %reason, %error, "paused: the output folder cannot be used; it is tried again");
}

pub(super) fn stalled(folder: &Folder, limit: Duration) {
    let seconds = limit.as_secs_f32();
    tracing::error!(
        folder = folder.name,
        seconds,
        "paused: a disk does not answer; photos wait until it does"
    );
}

pub(super) fn resumed(folder: &Folder) {
    tracing::info!(
        folder = folder.name,
        "resumed: the output folder can be used again"
    );
}

pub(super) fn idle(folder: &Folder) {
    tracing::info!(
        folder = folder.name,
        "resumed: no photo waits for the output folder any more"
    );
}

pub(super) fn watch_dead(folder: &Folder) {
    tracing::warn!(
        folder = folder.name,
        "the watch stopped reporting events; creating a new watch"
    );
}

pub(super) fn canary(folder: &Folder, error: &PathError) {
    tracing::warn!(folder = folder.name, %error, "hotcut cannot check whether the folder's watch reports events");
}

pub(super) fn waits(job: &Job, error: &JobError) {
    tracing::error!(folder = job.folder.name, source = source(job), %error, "the photo waits: it cannot be finished now and is tried again until it works");
}

pub(super) fn put_off(job: &Job, reason: &str) {
    tracing::warn!(
        folder = job.folder.name,
        source = source(job),
        reason,
        "the photo waits until there is enough memory"
    );
}

pub(super) fn short(reason: &str) {
    tracing::error!(
        reason,
        "resource shortage: work pauses, then continues with fewer workers"
    );
}

pub(super) fn state_dir_full(disk: &TooFull) {
    tracing::error!(%disk, "paused: there is no room for the ledger in `state_dir`; hotcut checks it every second and starts no photo until then");
}

pub(super) fn state_dir_has_room() {
    tracing::info!("resumed: there is room for the ledger in `state_dir` again");
}

pub(super) fn short_no_more(workers: usize) {
    tracing::info!(
        workers,
        "the shortage is over; all workers may be used again"
    );
}

pub(super) fn finished(job: &Job, outcome: &Outcome) {
    let (folder, source) = (&job.folder.name, source(job));
    match outcome {
        Outcome::Done {
            outputs,
            origin,
            source: result,
        } => {
            done(job, outputs, origin);
            if let Origin::Made {
                is_doubtful: true, ..
            } = origin
            {
                doubtful(job, matches!(result, SourceResult::Kept));
            }
        }
        Outcome::Retired {
            source: SourceResult::Gone,
            ..
        } => tracing::info!(
            folder,
            source,
            "the original was moved or deleted, as `source` says"
        ),
        Outcome::Ignored(error) => tracing::info!(folder, source, reason = %error, "ignored"),
        Outcome::Quarantined {
            error,
            attempts,
            unexplained,
        } => {
            tracing::error!(folder, source, attempts, reason = %error, "quarantined");
            if let Some(error) = unexplained {
                untold(&job.folder, &source, error);
            }
        }
        Outcome::Retry { error, attempts } => {
            tracing::warn!(folder, source, attempts, reason = %error, "failed; it is tried again");
        }
        Outcome::Held(JobError::Cutout(CutoutError::Truncated)) => {
            tracing::warn!(folder, source, "the file ends early; waiting for the rest");
        }
        Outcome::Held(error) => tracing::warn!(
            folder,
            source,
            "held: {error}; if the file does not change for 10 minutes, it is taken as it is"
        ),
        // Either logged elsewhere when it is new, or nothing new.
        Outcome::Unchanged { .. }
        | Outcome::Retired { .. }
        | Outcome::Outdated
        | Outcome::Waits(_)
        | Outcome::Paused(_)
        | Outcome::Short(_)
        | Outcome::Halted(_) => {}
    }
}

fn doubtful(job: &Job, is_kept: bool) {
    let then = if is_kept {
        "its original is not deleted: delete it by hand if it is whole"
    } else {
        "look at the cutout"
    };
    tracing::warn!(
        folder = job.folder.name,
        source = source(job),
        "the photo has zeros or holes where its last part should be and was cut out as it is; {then}"
    );
}

fn done(job: &Job, outputs: &[PathBuf], origin: &Origin) {
    let (folder, source) = (&job.folder.name, source(job));
    let output = percent::display_all(outputs);
    match origin {
        Origin::Made {
            report,
            has_replaced,
            ..
        } => cut_out(job, &output, report, *has_replaced),
        Origin::Earlier | Origin::Recorded | Origin::Touched => {
            tracing::info!(folder, source, output, "the cutout exists already");
        }
        Origin::Renamed { from } => {
            let from = percent::display(from);
            tracing::info!(
                folder,
                source,
                output,
                from,
                "renamed the cutout, as the photo was renamed"
            );
        }
    }
}

fn cut_out(job: &Job, output: &str, report: &CutReport, has_replaced: bool) {
    let (folder, source) = (&job.folder.name, source(job));
    let pixels = f64::from(report.width) * f64::from(report.height);
    let megapixels = (pixels / 1e4).round() / 100.0;
    let total_ms: u32 = report.stages.iter().map(|(_, ms)| ms).sum();
    let stages: Vec<String> = report
        .stages
        .iter()
        .map(|(stage, ms)| format!("{stage} {ms}"))
        .collect();
    let stages_ms = stages.join(", ");
    let what = if has_replaced {
        "cut out; replaced the cutout of the earlier photo of this name"
    } else {
        "cut out"
    };
    tracing::info!(
        folder, source, output, megapixels, total_ms, stages_ms, "{what}"
    );
}

fn source(job: &Job) -> String {
    percent::display(job.file.relative())
}

pub(super) fn untold(folder: &Folder, source: &str, error: &JobError) {
    tracing::warn!(folder = folder.name, source, %error, "could not write the reason beside the photo or move it to `failed`; retrying");
}

pub(super) fn told_late(folder: &Folder, source: &str, explained: Explained) {
    let what = match explained {
        Explained::Moved => "the photo was moved to `failed` with its reason",
        Explained::Beside => "the reason was left with the photo",
        Explained::NothingNew => return,
    };
    tracing::info!(folder = folder.name, source, "{what}");
}
