//! Makes random changes in one hot folder, as people, editors and transfers do. Must not know a daemon.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::dice::Dice;
use super::photos::{HTML, Quarter, jpeg, png};

/// What happens to a photo that is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Policy {
    Keep,
    Move,
    Delete,
}

/// One hot folder and the files dropped there.
#[derive(Debug)]
pub(crate) struct Drops {
    input: PathBuf,
    outside: PathBuf,
    policy: Policy,
    number: u32,
    /// Complete photos that only the daemon may have removed since.
    dropped: BTreeMap<PathBuf, Vec<u8>>,
    /// A photo that is still being written: the file, the path, and the missing part.
    writing: Option<(File, PathBuf, Vec<u8>, usize)>,
}

impl Drops {
    pub(crate) fn new(input: PathBuf, outside: &Path, policy: Policy) -> Drops {
        Drops {
            input,
            outside: outside.to_owned(),
            policy,
            number: 0,
            dropped: BTreeMap::new(),
            writing: None,
        }
    }

    /// All complete photos that were dropped, and not replaced or removed by the dropper.
    pub(crate) fn dropped(&self) -> &BTreeMap<PathBuf, Vec<u8>> {
        &self.dropped
    }

    /// Makes one change. Never changes existing photos that the daemon removes itself, since it would be random which is faster.
    pub(crate) fn change(&mut self, dice: &mut Dice) {
        let kinds = if self.policy == Policy::Keep { 12 } else { 5 };
        match dice.below(kinds) {
            0 => self.create(dice),
            1 => self.begin_writing(dice),
            2 => self.go_on_writing(),
            3 => self.rename_into_place(dice),
            4 => self.move_tree_in(dice),
            5 => self.rewrite(dice),
            6 => self.rename(dice),
            7 => self.delete(dice),
            8 => self.touch(dice),
            9 => self.change_mode(dice),
            10 => self.rename_over(dice),
            _ => self.drop_rubbish(dice),
        }
    }

    /// Completes the photos that are half written.
    pub(crate) fn finish(&mut self) {
        while self.writing.is_some() {
            self.go_on_writing();
        }
    }

    fn create(&mut self, dice: &mut Dice) {
        let (name, photo) = self.photo(dice);
        self.write(&name, &photo);
        self.dropped.insert(name, photo);
    }

    fn begin_writing(&mut self, dice: &mut Dice) {
        if self.writing.is_none() {
            let (name, photo) = self.photo(dice);
            let path = self.input.join(&name);
            fs::create_dir_all(path.parent().expect("the input")).unwrap();
            self.writing = Some((File::create(path).unwrap(), name, photo, 0));
        }
    }

    /// Writes a third of each unfinished photo; a writer that ends closes its file.
    fn go_on_writing(&mut self) {
        let Some((mut file, name, photo, at)) = self.writing.take() else {
            return;
        };
        let end = photo.len().min(at + photo.len() / 3 + 1);
        file.write_all(&photo[at..end]).unwrap();
        if end < photo.len() {
            self.writing = Some((file, name, photo, end));
        } else {
            self.dropped.insert(name, photo);
        }
    }

    fn rename_into_place(&mut self, dice: &mut Dice) {
        let (name, photo) = self.photo(dice);
        let mut part = name.clone().into_os_string();
        part.push(".part");
        self.write(Path::new(&part), &photo);
        fs::rename(self.input.join(part), self.input.join(&name)).unwrap();
        self.dropped.insert(name, photo);
    }

    fn move_tree_in(&mut self, dice: &mut Dice) {
        self.number += 1;
        let top = PathBuf::from(format!("tree-{}", self.number));
        let away = self.outside.join("tree");
        for index in 0..=dice.below(3) {
            let name = Path::new("deep").join(format!("{index}.jpg"));
            let photo = jpeg(*dice.pick(&QUARTERS));
            fs::create_dir_all(away.join("deep")).unwrap();
            fs::write(away.join(&name), &photo).unwrap();
            self.dropped.insert(top.join(name), photo);
        }
        fs::rename(away, self.input.join(top)).unwrap();
    }

    fn rewrite(&mut self, dice: &mut Dice) {
        if let Some(name) = self.one(dice) {
            let photo = photo_for(&name, dice);
            self.write(&name, &photo);
            self.dropped.insert(name, photo);
        }
    }

    /// Replaces a file as editors do: a new file takes the name of an earlier one.
    fn rename_over(&mut self, dice: &mut Dice) {
        if let Some(name) = self.one(dice) {
            let photo = photo_for(&name, dice);
            let mut part = name.clone().into_os_string();
            part.push(".part");
            self.write(Path::new(&part), &photo);
            fs::rename(self.input.join(part), self.input.join(&name)).unwrap();
            self.dropped.insert(name, photo);
        }
    }

    fn rename(&mut self, dice: &mut Dice) {
        if let Some(name) = self.one(dice) {
            let (mut new, _) = self.photo(dice);
            new.set_extension(name.extension().expect("all have one"));
            fs::create_dir_all(self.input.join(&new).parent().expect("the input")).unwrap();
            fs::rename(self.input.join(&name), self.input.join(&new)).unwrap();
            let photo = self.dropped.remove(&name).expect("it was dropped");
            self.dropped.insert(new, photo);
        }
    }

    fn delete(&mut self, dice: &mut Dice) {
        if let Some(name) = self.one(dice) {
            fs::remove_file(self.input.join(&name)).unwrap();
            self.dropped.remove(&name);
        }
    }

    fn touch(&mut self, dice: &mut Dice) {
        if let Some(name) = self.one(dice) {
            let ago = Duration::from_secs(dice.below(1_000_000_000) as u64);
            let times = FileTimes::new().set_modified(SystemTime::now() - ago);
            let file = OpenOptions::new().append(true).open(self.input.join(name));
            file.unwrap().set_times(times).unwrap();
        }
    }

    fn change_mode(&mut self, dice: &mut Dice) {
        if let Some(name) = self.one(dice) {
            let mode = *dice.pick(&[0o600, 0o644, 0o664]);
            fs::set_permissions(self.input.join(name), Permissions::from_mode(mode)).unwrap();
        }
    }

    fn drop_rubbish(&mut self, dice: &mut Dice) {
        self.number += 1;
        let whole = jpeg(*dice.pick(&QUARTERS));
        let rubbish = *dice.pick(&[HTML, &whole[..whole.len() / 2], b"\0\0\0\0"]);
        self.write(Path::new(&format!("{}.bad.jpg", self.number)), rubbish);
    }

    fn write(&self, name: &Path, bytes: &[u8]) {
        let path = self.input.join(name);
        fs::create_dir_all(path.parent().expect("the input")).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// A name of one of two kinds in one of three folders, so that stems collide, and a photo for it.
    fn photo(&mut self, dice: &mut Dice) -> (PathBuf, Vec<u8>) {
        self.number += 1;
        let folder = dice.pick(&["", "sub", "sub/deep"]);
        let kind = dice.pick(&["jpg", "png"]);
        let name = Path::new(folder).join(format!("{}.{kind}", self.number / 2));
        if self.dropped.contains_key(&name) || self.is_being_written(&name) {
            return self.photo(dice);
        }
        let photo = photo_for(&name, dice);
        (name, photo)
    }

    fn is_being_written(&self, path: &Path) -> bool {
        matches!(&self.writing, Some((_, name, ..)) if name == path)
    }

    fn one(&self, dice: &mut Dice) -> Option<PathBuf> {
        let names: Vec<&PathBuf> = self.dropped.keys().collect();
        (!names.is_empty()).then(|| (*dice.pick(&names)).clone())
    }
}

const QUARTERS: [Quarter; 4] = [
    Quarter::TopLeft,
    Quarter::TopRight,
    Quarter::BottomLeft,
    Quarter::BottomRight,
];

fn photo_for(name: &Path, dice: &mut Dice) -> Vec<u8> {
    let lit = *dice.pick(&QUARTERS);
    match name.extension() {
        Some(kind) if kind == "png" => png(lit),
        _ => jpeg(lit),
    }
}
