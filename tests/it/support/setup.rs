//! Makes a temporary tree (input, output, state, configuration file) for a daemon from the choices of a test. Must not know a
//! process.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tempfile::TempDir;

/// The model of almost every test: alpha is the mean of the three channels, so photos cut in milliseconds.
const MODEL: &str = "luma";

/// The choices of a test for its daemon; `start` of [`super::hot_folder::HotFolder`] consumes them.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    root: Rc<TempDir>,
    daemon: Vec<(String, String)>,
    http: Vec<(String, String)>,
    folders: Vec<Folder>,
    more: String,
    wrapper: Vec<String>,
    other_disk: Option<Rc<TempDir>>,
}

#[derive(Clone, Debug)]
struct Folder {
    name: String,
    keys: Vec<(String, String)>,
}

impl Setup {
    /// One hot folder `products`, settled in 200 ms, two workers, and a rescan so rare that only events count.
    pub(crate) fn new() -> Setup {
        let setup = Setup {
            root: Rc::new(room()),
            daemon: Vec::new(),
            http: Vec::new(),
            folders: Vec::new(),
            more: String::new(),
            wrapper: Vec::new(),
            other_disk: None,
        };
        fs::create_dir(setup.path("state")).unwrap();
        let state = setup.path("state").display().to_string();
        setup
            .daemon("state_dir", &state)
            .daemon(
                "models_dir",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/models"),
            )
            .daemon("workers", "2")
            .daemon("threads_per_worker", "1")
            .daemon("rescan", "3600s")
            .another_folder("products")
    }

    /// Quick rescans, and a single attempt.
    pub(crate) fn patient() -> Setup {
        Setup::new()
            .daemon("rescan", "1s")
            .daemon("max_attempts", "1")
    }

    /// Sets a key of `[daemon]`: digits become a number, `[...]` a list, everything else a string.
    pub(crate) fn daemon(mut self, key: &str, value: &str) -> Setup {
        set(&mut self.daemon, key, value);
        self
    }

    /// Listens for requests on a port that the system chooses, with the model of the folders.
    pub(crate) fn listens(self) -> Setup {
        self.http("listen", "127.0.0.1:0").http("model", MODEL)
    }

    /// Removes `[http]`.
    pub(crate) fn listens_no_more(mut self) -> Setup {
        self.http.clear();
        self
    }

    /// Sets a key of `[http]`.
    pub(crate) fn http(mut self, key: &str, value: &str) -> Setup {
        set(&mut self.http, key, value);
        self
    }

    /// Sets a key of the folder added last.
    pub(crate) fn folder(mut self, key: &str, value: &str) -> Setup {
        let last = self.folders.last_mut().expect("new() adds a folder");
        set(&mut last.keys, key, value);
        self
    }

    /// Sets a key of the folder `name`.
    pub(crate) fn folder_of(mut self, name: &str, key: &str, value: &str) -> Setup {
        let mut folders = self.folders.iter_mut();
        let folder = folders.find(|folder| folder.name == name);
        set(&mut folder.expect("it was added").keys, key, value);
        self
    }

    /// Adds a hot folder `NAME` with the same choices as the first one starts with.
    pub(crate) fn another_folder(mut self, name: &str) -> Setup {
        let (input, output) = (self.input_of(name), self.output_of(name));
        fs::create_dir_all(&input).unwrap();
        fs::create_dir_all(&output).unwrap();
        self.folders.push(Folder {
            name: name.to_owned(),
            keys: Vec::new(),
        });
        self.folder("input", &input.display().to_string())
            .folder("output", &output.display().to_string())
            .folder("model", MODEL)
            .folder("settle", "200ms")
            // An unoptimised program takes seconds per megapixel for edges, so only tests of edges enable them.
            .folder("edges", "off")
    }

    /// Gives the folder added last a second output folder, `shop`, beside the first.
    pub(crate) fn with_shop(self) -> Setup {
        let last = self.folders.last().expect("new() adds a folder");
        let (out, shop) = (self.output_of(&last.name), self.shop_of(&last.name));
        fs::create_dir_all(&shop).unwrap();
        self.folder(
            "output",
            &format!("[{{ path = {out:?} }}, {{ path = {shop:?}, format = \"png\" }}]"),
        )
    }

    pub(crate) fn without_last_folder(mut self) -> Setup {
        self.folders.pop();
        self
    }

    /// Sets the tables that follow the folders, as TOML.
    pub(crate) fn tables(mut self, toml: &str) -> Setup {
        toml.clone_into(&mut self.more);
        self
    }

    /// `source = "move"` into `done/` of the tree.
    pub(crate) fn moves_sources(self) -> Setup {
        let done = self.path("done");
        fs::create_dir(&done).unwrap();
        self.folder("source", "move")
            .folder("done", &done.display().to_string())
    }

    /// As [`Self::moves_sources`], but `done/` leads to a folder on another file system; `None` if this machine has none.
    pub(crate) fn moves_sources_to_another_disk(self) -> Option<Setup> {
        let device = |path: &Path| fs::metadata(path).map(|data| data.dev()).ok();
        let here = device(self.root.path());
        let disks = ["/dev/shm", "/tmp", "/var/tmp"].map(Path::new);
        let disk = disks
            .into_iter()
            .find(|disk| device(disk).is_some_and(|it| Some(it) != here))?;
        let other = tempfile::Builder::new()
            .prefix("hotcut-it-")
            .tempdir_in(disk)
            .unwrap();
        let done = self.path("done");
        symlink(other.path(), &done).unwrap();
        let mut setup = self
            .folder("source", "move")
            .folder("done", &done.display().to_string());
        setup.other_disk = Some(Rc::new(other));
        Some(setup)
    }

    /// `source = "keep"` from now on.
    pub(crate) fn keeps_sources(mut self) -> Setup {
        let last = self.folders.last_mut().expect("new() adds a folder");
        last.keys.retain(|(key, _)| key != "done");
        self.folder("source", "keep")
    }

    /// Sets `failed` to the folder `failed/` of the tree.
    pub(crate) fn moves_failures(self) -> Setup {
        let failed = self.path("failed");
        fs::create_dir(&failed).unwrap();
        self.folder("failed", &failed.display().to_string())
    }

    /// Runs the daemon in its own user and mount namespace, after the shell text `prelude` has run there as
    /// that namespace's root with the tree as the current folder.
    pub(crate) fn in_namespace(mut self, prelude: &str) -> Setup {
        let root = self.root.path().display();
        let script = format!("cd '{root}'\n{prelude}\nexec \"$@\"");
        self.wrapper = ["unshare", "-Urm", "sh", "-ec", &script, "sh"]
            .map(str::to_owned)
            .to_vec();
        self
    }

    /// Runs the daemon with another program in front, which must exec the daemon or run as its child.
    pub(crate) fn under(mut self, wrapper: Vec<String>) -> Setup {
        self.wrapper = wrapper;
        self
    }

    /// The command line in front of the daemon's own.
    pub(crate) fn wrapper(&self) -> &[String] {
        &self.wrapper
    }

    /// A path of the tree, outside of every hot folder.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(relative)
    }

    pub(crate) fn input_of(&self, folder: &str) -> PathBuf {
        self.path(folder).join("in")
    }

    pub(crate) fn output_of(&self, folder: &str) -> PathBuf {
        self.path(folder).join("out")
    }

    pub(crate) fn shop_of(&self, folder: &str) -> PathBuf {
        self.path(folder).join("shop")
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.path("hotcut.toml")
    }

    pub(crate) fn write_config(&self) {
        fs::write(self.config_file(), self.config_text()).unwrap();
    }

    /// The configuration as TOML.
    pub(crate) fn config_text(&self) -> String {
        let mut text = String::from("[daemon]\n");
        push_keys(&mut text, &self.daemon);
        if !self.http.is_empty() {
            text.push_str("\n[http]\n");
            push_keys(&mut text, &self.http);
        }
        for folder in &self.folders {
            write!(text, "\n[[folder]]\nname = {:?}\n", folder.name).unwrap();
            push_keys(&mut text, &folder.keys);
        }
        text + "\n" + &self.more
    }
}

fn set(keys: &mut Vec<(String, String)>, key: &str, value: &str) {
    keys.retain(|(name, _)| name != key);
    keys.push((key.to_owned(), value.to_owned()));
}

fn push_keys(text: &mut String, keys: &[(String, String)]) {
    for (key, value) in keys {
        if value.starts_with('[')
            || value == "true"
            || value.bytes().all(|byte| byte.is_ascii_digit())
        {
            writeln!(text, "{key} = {value}").unwrap();
        } else {
            writeln!(text, "{key} = {value:?}").unwrap();
        }
    }
}

/// A temporary folder on a filesystem that reports its events: in a container `/tmp` is often an overlay, and hotcut would rightly
/// poll there.
fn room() -> TempDir {
    const OVERLAY: i64 = 0x794c_7630;
    let candidates = [
        std::env::temp_dir(),
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")),
        "/dev/shm".into(),
    ];
    let reports = |path: &PathBuf| rustix::fs::statfs(path).is_ok_and(|fs| fs.f_type != OVERLAY);
    let home = candidates
        .iter()
        .find(|path| reports(path))
        .expect("a folder that is not an overlay");
    tempfile::Builder::new()
        .prefix("hotcut-it-")
        .tempdir_in(home)
        .unwrap()
}
