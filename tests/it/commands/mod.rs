//! Commands of hotcut -> what they print, what they leave on disk, and their exit code.

mod advice;
mod checks;
mod closed;
mod cut;
mod cut_reports;
mod cut_sheet;
mod demo;
mod init;
mod logs;
mod others;
mod redo;
mod shared_status;
mod unit_limits;
mod units;
mod version;
mod why;
