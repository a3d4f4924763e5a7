//! Takes folders offline while their disk does not answer, and online when it answers again. Must not access the disk.

use tokio::time::Instant;

use super::{Daemon, FatalError, log};
use crate::intake::{FolderId, Online, Report};
use crate::job::OutputPlace;

impl Daemon {
    /// Takes folders offline whose disk does not answer.
    pub(super) fn notice_silence(&mut self, now: Instant) {
        for folder in self.folders.values_mut() {
            if let Some(reason) = folder.notice_silence(now) {
                log::silent(&folder.config, &reason);
            }
        }
    }

    /// Handles a report of a scanner. After a silence the scanner reports the folder anew, so earlier observations are dropped.
    pub(super) async fn hear(&mut self, id: FolderId, report: Report) -> Result<(), FatalError> {
        let Some(folder) = self.folders.get_mut(&id) else {
            return Ok(());
        };
        let was_silent = folder.end_silence(Instant::now());
        let is_old = was_silent
            && matches!(
                report,
                Report::Seen(_) | Report::Met(_) | Report::Listed { .. }
            );
        if is_old {
            return Ok(());
        }
        self.take_report(id, report).await
    }

    /// Takes a folder online and remembers its mounts.
    pub(super) async fn take_online(
        &mut self,
        id: FolderId,
        online: Online,
        now: Instant,
    ) -> Result<(), FatalError> {
        let Online {
            mount_point,
            output_mounts,
            polled,
        } = online;
        let Some(folder) = self.folders.get_mut(&id) else {
            return Ok(());
        };
        if folder.online(polled.as_ref(), now) {
            log::online(&folder.config, polled.as_ref());
            self.explanations.hasten(&folder.config.name);
        }
        let input = folder.config.input.clone();
        // Before any output is placed, so that a later absence of its mount is noticed.
        let mut new = Vec::new();
        for (place, actual) in folder.outputs.iter_mut().zip(output_mounts) {
            if actual.is_some() && place.mount_point != actual {
                place.mount_point = actual;
                new.push(place.clone());
            }
        }
        let remember = self.context.ledger.call(move |ledger| {
            ledger.remember_mount(&input, &mount_point)?;
            for OutputPlace {
                folder,
                mount_point,
                ..
            } in new
            {
                if let Some(mount_point) = mount_point {
                    ledger.remember_mount(&folder, &mount_point)?;
                }
            }
            Ok(())
        });
        Ok(remember.await?)
    }
}
