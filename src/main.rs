//! argv -> a command, and its result -> log lines and an exit code; knows no stage of the pipeline.

use std::env::VarError;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};
use hotcut::command::{self, CommandError};
use hotcut::journal::{self, Entries, Prioritized};
use hotcut::local_time::LocalTime;
use hotcut::pool::Setting;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The environment is wrong; the unit does not start the service again for this.
const EX_CONFIG: u8 = 78;

/// Where the service reads its configuration.
const DEFAULT_CONFIG: &str = "/etc/hotcut/hotcut.toml";

/// Watches hot folders and cuts every photo that arrives out of its background.
///
/// Begin with `hotcut demo`. For a service, write /etc/hotcut/hotcut.toml, try it with `hotcut check`, and start
/// `hotcut run`. Photos are never altered; results are transparent PNGs that appear whole or not at all.
#[derive(Parser)]
#[command(version = hotcut::version::VERSION, max_term_width = 100)]
struct Arguments {
    /// How to write the log on stderr; `hotcut cut` then also prints one JSON object a photo.
    #[arg(long, global = true, value_enum, default_value = "text")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the hot folders until SIGTERM; SIGHUP reads the configuration again.
    Run(ConfigArgument),
    /// Validates the configuration, its models and its folders, and prints every fault; exit code 0 or 78.
    Check {
        #[command(flatten)]
        config: ConfigArgument,
        /// For a reload: lists no folder; one that is absent or whose disk does not answer is told of but is no fault.
        #[arg(long)]
        configuration_only: bool,
    },
    /// Prints a configuration for the given hot folders, after a look at them; every key has its comment.
    Init {
        /// The folders in which photos will arrive.
        dirs: Vec<PathBuf>,
        /// Puts it in place instead; what was there is kept beside it, with `.bak` after its name.
        #[arg(long)]
        write: bool,
        /// The file to put in place.
        #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG, requires = "write")]
        config: PathBuf,
    },
    /// Brings a hot folder into service: rights, configuration, unit, start. Shows the steps, and takes them with --yes; for root.
    Setup(command::setup::Order),
    /// Cuts out photos once: files, or folders with everything below them; exit code 1 if one failed.
    Cut(command::cut::Order),
    /// Shows for each folder its state, what is queued, done and quarantined, and why.
    Status {
        #[command(flatten)]
        config: ConfigArgument,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
        /// Exits with 1 unless hotcut runs and serves every folder.
        #[arg(long)]
        check: bool,
    },
    /// Puts quarantined photos back into the queue: the given ones, or all.
    Retry {
        #[command(flatten)]
        config: ConfigArgument,
        /// Paths of the photos in their hot folders.
        files: Vec<PathBuf>,
    },
    /// Cuts photos out again whose cutouts are done, with the model and edges that their folder has now.
    ///
    /// A new model and other edges change no cutout by themselves. What a photo's cutout is replaced by has its name; the photo must still lie in
    /// its hot folder.
    Redo {
        #[command(flatten)]
        config: ConfigArgument,
        /// Only those that this model has made.
        #[arg(long, value_name = "NAME", required_unless_present = "files")]
        model: Option<String>,
        /// Only these photos, by their paths in their hot folders.
        files: Vec<PathBuf>,
    },
    /// Tells everything that is known of one photo, and what it waits for.
    Why {
        #[command(flatten)]
        config: ConfigArgument,
        /// The photo in its hot folder, or its cutout.
        file: PathBuf,
    },
    /// Makes a lost ledger anew from the cutouts in the output folders; not while hotcut runs.
    Rebuild(ConfigArgument),
    /// Copies the ledger, which tells what is done, to FILE; also while hotcut runs.
    ///
    /// To restore it: stop hotcut, put the copy into `state_dir` as `ledger.db`, for the user that hotcut runs as, and start hotcut.
    Backup {
        #[command(flatten)]
        config: ConfigArgument,
        /// The copy, outside of `state_dir`. It appears once it is whole.
        file: PathBuf,
        /// Replaces FILE if it is there.
        #[arg(long)]
        replace: bool,
    },
    /// Prints the drop-in by which systemd lets the service write to the configured folders, and use the network if it must.
    Unit(ConfigArgument),
    /// Sends sample photos through a hot folder in DIR, end to end, and prints where the cutouts lie.
    Demo {
        /// Where to make the folders; a new one in the system's temporary folder if left out.
        dir: Option<PathBuf>,
    },
    /// Cuts out photos for a daemon, over stdin and stdout.
    #[command(hide = true)]
    Worker(WorkerArguments),
    /// Writes the man pages and the completions of shells that packages carry.
    #[command(hide = true)]
    Pages {
        /// Where to make the folders `man` and `completions`.
        dir: PathBuf,
    },
}

#[derive(clap::Args)]
struct ConfigArgument {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
}

#[derive(clap::Args)]
struct WorkerArguments {
    #[arg(long)]
    parent: u32,
    #[arg(long)]
    models_dir: PathBuf,
    #[arg(long = "model")]
    models: Vec<String>,
    #[arg(long)]
    threads: usize,
    #[arg(long)]
    megapixels_max: u32,
    #[arg(long)]
    memory_bytes: u64,
}

fn main() -> ExitCode {
    let result = match Arguments::try_parse() {
        Ok(arguments) => {
            let is_worker = matches!(arguments.command, Command::Worker(_));
            if let Err(error) = start_log(arguments.log_format, is_worker) {
                // Nothing could be logged, so this is said by itself.
                writeln!(stderr(), "hotcut: {error}").ok();
                return ExitCode::from(EX_CONFIG);
            }
            run(arguments.command, arguments.log_format)
        }
        Err(error) if error.kind() == ErrorKind::DisplayVersion => {
            command::version::run(Path::new(DEFAULT_CONFIG))
        }
        Err(error) => error.exit(),
    };
    match result {
        Ok(code) => code,
        // As in `hotcut status | head`: the reader has seen enough. Shells show a program that SIGPIPE ends by this code.
        Err(error) if error.is_closed_pipe() => ExitCode::from(128 + 13),
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(command: Command, log_format: LogFormat) -> Result<ExitCode, CommandError> {
    match command {
        Command::Run(argument) => command::run::run(argument.config),
        Command::Check {
            config,
            configuration_only,
        } => command::check::run(&config.config, configuration_only),
        Command::Init {
            dirs,
            write,
            config,
        } => command::init::run(&dirs, write.then_some(config.as_path())),
        Command::Setup(order) => command::setup::run(&order),
        Command::Cut(order) => command::cut::run(&order, log_format == LogFormat::Json),
        Command::Status {
            config,
            json,
            check,
        } => command::status::run(&config.config, json, check),
        Command::Retry { config, files } => command::retry::run(&config.config, &files),
        Command::Redo {
            config,
            model,
            files,
        } => command::redo::run(&config.config, model.as_deref(), &files),
        Command::Why { config, file } => command::why::run(&config.config, &file),
        Command::Rebuild(argument) => command::rebuild::run(&argument.config),
        Command::Backup {
            config,
            file,
            replace,
        } => command::backup::run(&config.config, &file, replace),
        Command::Unit(argument) => command::unit::run(&argument.config),
        Command::Demo { dir } => command::demo::run(dir),
        Command::Worker(arguments) => command::worker::run(&arguments.into()),
        Command::Pages { dir } => command::pages::run(&Arguments::command(), &dir),
    }
}

impl From<WorkerArguments> for Setting {
    fn from(arguments: WorkerArguments) -> Self {
        Self {
            parent: arguments.parent,
            models_dir: arguments.models_dir,
            models: arguments.models,
            threads: arguments.threads,
            megapixels_max: arguments.megapixels_max,
            memory_bytes: arguments.memory_bytes,
        }
    }
}

/// Starts the log on stderr, at the levels of `HOTCUT_LOG`; an error if they cannot be read.
fn start_log(format: LogFormat, is_worker: bool) -> Result<(), String> {
    let levels = match std::env::var("HOTCUT_LOG") {
        Err(VarError::NotPresent) => Targets::new().with_default(LevelFilter::INFO),
        found => found
            .map_err(|error| error.to_string())
            .and_then(|text| text.parse::<Targets>().map_err(|error| error.to_string()))
            .map_err(|error| {
                format!("HOTCUT_LOG: {error}; it takes `debug`, or `info,hotcut::intake=debug`")
            })?,
    };
    let log = tracing_subscriber::registry().with(levels);
    // A worker may call nothing that sends to a socket.
    let entries = match (format, journal::is_stderr() && !is_worker) {
        (LogFormat::Text, true) => Entries::connect(Path::new(journal::SOCKET)).ok(),
        (LogFormat::Text, false) | (LogFormat::Json, _) => None,
    };
    if let Some(entries) = entries {
        log.with(entries).init();
        return Ok(());
    }
    let lines = fmt::layer().with_writer(stderr).with_target(false);
    match (format, journal::is_stderr()) {
        (LogFormat::Text, false) => {
            let lines = lines.with_timer(LocalTime);
            log.with(lines.with_ansi(stderr().is_terminal())).init();
        }
        (LogFormat::Text, true) => {
            let lines = lines.with_ansi(false).with_level(false).without_time();
            log.with(lines.map_event_format(Prioritized)).init();
        }
        (LogFormat::Json, false) => log.with(lines.json()).init(),
        (LogFormat::Json, true) => log.with(lines.json().map_event_format(Prioritized)).init(),
    }
    Ok(())
}
