//! Runs the command of the arguments, logs its error and returns its exit code. Must not depend on a stage of the pipeline.

use std::env::VarError;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};
use hotcut::command::{self, CommandError};
use hotcut::journal::{self, Entries, Prioritized};
use hotcut::rfc3339::LocalTime;
use hotcut::worker::Setting;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The environment is wrong; with this code the systemd unit does not restart the service.
const EX_CONFIG: u8 = 78;

/// The default configuration file.
const DEFAULT_CONFIG: &str = "/etc/hotcut/hotcut.toml";

/// Watches hot folders and removes the background of every photo that arrives.
///
/// Try it with `hotcut demo`. To run it as a service, write /etc/hotcut/hotcut.toml, check it with `hotcut check`, and start
/// `hotcut run`. hotcut never changes a photo. A result is a transparent PNG, which appears only when it is complete.
#[derive(Parser)]
#[command(version = hotcut::version::VERSION, max_term_width = 100)]
struct Arguments {
    /// Format of the log on stderr. With `json`, `hotcut cut` also prints one JSON object for each photo.
    #[arg(long, global = true, value_enum, default_value = "text")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum LogFormat {
    /// Plain text.
    Text,
    /// One JSON object per line.
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Processes the hot folders until SIGTERM; SIGHUP reloads the configuration.
    Run(ConfigArgument),
    /// Checks the configuration, its models and its folders, and prints every fault; exit code 78 if there is one.
    Check {
        #[command(flatten)]
        config: ConfigArgument,
        /// For a reload: lists no folder. A folder that is absent, or whose disk does not answer, is reported but is no fault.
        #[arg(long)]
        configuration_only: bool,
    },
    /// Inspects the given hot folders and prints a configuration for them, with a comment on every key.
    Init {
        /// The hot folders.
        dirs: Vec<PathBuf>,
        /// Writes the configuration to its file instead. The previous file is kept, with `.bak` after its name.
        #[arg(long)]
        write: bool,
        /// The file to write.
        #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG, requires = "write")]
        config: PathBuf,
    },
    /// Sets up a hot folder for the service: rights, configuration, unit, start. Shows the steps; with --yes it carries them out. Needs root.
    Setup(command::setup::SetupArguments),
    /// Cuts out photos once: files, or folders with everything below them. Exit code 1 if a photo failed.
    Cut(command::cut::CutArguments),
    /// Shows the state of each folder, how many photos are queued, done and quarantined, and the reasons.
    Status {
        #[command(flatten)]
        config: ConfigArgument,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
        /// Exits with 1 unless hotcut runs and processes every folder.
        #[arg(long)]
        check: bool,
    },
    /// Tries quarantined photos again: the given ones, or all.
    Retry {
        #[command(flatten)]
        config: ConfigArgument,
        /// Paths of the photos in their hot folders.
        files: Vec<PathBuf>,
    },
    /// Cuts finished photos out again, with the model and the edges that their folder has now.
    ///
    /// A new model or other edges change no existing cutout. The new cutout replaces the old one under the same name. The photo must
    /// still be in its hot folder.
    Redo {
        #[command(flatten)]
        config: ConfigArgument,
        /// Only photos that this model has cut out.
        #[arg(long, value_name = "NAME", required_unless_present = "files")]
        model: Option<String>,
        /// Only these photos, by their paths in their hot folders.
        files: Vec<PathBuf>,
    },
    /// Prints everything that is known about one photo, and what it waits for.
    Why {
        #[command(flatten)]
        config: ConfigArgument,
        /// The photo in its hot folder, or its cutout.
        file: PathBuf,
    },
    /// Creates a lost ledger again from the cutouts in the output folders. hotcut must not be running.
    Rebuild(ConfigArgument),
    /// Copies the ledger, which records what is done, to FILE. hotcut may be running.
    ///
    /// To restore it: stop hotcut, copy FILE to `ledger.db` in `state_dir`, owned by the user that hotcut runs as, and start hotcut.
    Backup {
        #[command(flatten)]
        config: ConfigArgument,
        /// The copy, outside `state_dir`. It appears only when it is complete.
        file: PathBuf,
        /// Replaces FILE if it exists.
        #[arg(long)]
        replace: bool,
    },
    /// Prints the systemd drop-in that lets the service write to the configured folders, and use the network if it needs to.
    Unit(ConfigArgument),
    /// Sends sample photos through a hot folder in DIR and prints where the cutouts are.
    Demo {
        /// Where to create the folders. Default: a new folder in the system's temporary folder.
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
                // There is no log yet, so the error is written directly.
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
        // The reader, as in `hotcut status | head`, has closed the pipe. Shells report this code for a program that SIGPIPE ended.
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

/// Starts the log on stderr at the levels of `HOTCUT_LOG`; fails when they are invalid. No level makes it show requests to webhooks.
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
    // The client of webhooks logs whole requests, whose addresses and headers may contain secrets.
    let secrets = Targets::new()
        .with_default(LevelFilter::TRACE)
        .with_target("ureq", LevelFilter::INFO)
        .with_target("ureq_proto", LevelFilter::INFO);
    let log = tracing_subscriber::registry().with(levels).with(secrets);
    // A worker must not make system calls that send to a socket.
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
