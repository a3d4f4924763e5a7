//! Kills the daemon at each call of an undisturbed run. Checks nothing itself.

use std::os::unix::process::ExitStatusExt as _;

use rustix::process::Signal;

use super::binary::wait_for;
use super::hot_folder::HotFolder;
use super::setup::Setup;
use super::strace;
use super::strace::Call;

/// Kills a daemon on the setup of `prepare` at each of the calls, from the first to the last time that one thread makes it, or
/// stops it once `is_done`. `judge` gets the remains and their description.
pub(crate) fn kill_at_each<'a>(
    calls: impl IntoIterator<Item = (&'a Call, &'a u32)>,
    prepare: impl Fn() -> Setup,
    is_done: impl Fn(&HotFolder) -> bool,
    judge: impl Fn(&mut HotFolder, &str),
) {
    for (call, &most) in calls {
        for number in 1..=most {
            let setup = strace::faulty(prepare(), call, number, "signal=KILL");
            let mut hot = HotFolder::launch(setup);
            wait_for("dead or done", || hot.has_exited() || is_done(&hot));
            if !hot.has_exited() {
                hot.signal(Signal::TERM);
            }
            let is_killed = hot.wait_exit().signal() == Some(Signal::KILL.as_raw());
            // Later numbers may belong to another thread this time, and the last calls of the ledger depend on which thread is
            // first.
            assert!(
                is_killed || number > 1 || call.path.starts_with("state"),
                "{call:?} was not made: {}",
                hot.log()
            );
            hot.change_setup(|setup| setup.under(Vec::new()));
            judge(&mut hot, &format!("{call:?} {number}"));
        }
    }
}
