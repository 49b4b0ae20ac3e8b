//! Classes of files: what of a disk may be lost or damaged, where a budget does not give up all of it.

use crate::id::FileName;

/// A class of files: those whose names begin alike, such as the segments of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileClass {
    /// Its name in seed files.
    pub name: &'static str,
    /// What the names of its files begin with.
    pub start: FileName,
}

/// Some of the classes of files of a world, by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClassSet(pub u64);

impl ClassSet {
    /// The most classes of a world.
    pub const MOST: usize = 32;

    /// All of so many classes.
    #[must_use]
    pub const fn all(classes: usize) -> ClassSet {
        ClassSet((1 << classes) - 1)
    }

    /// Whether this class is among them.
    #[must_use]
    pub const fn has(self, class: usize) -> bool {
        self.0 >> class & 1 == 1
    }

    /// The same with this class.
    #[must_use]
    pub const fn with(self, class: usize) -> ClassSet {
        ClassSet(self.0 | 1 << class)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of these classes that are among them.
    pub fn of(self, classes: &[FileClass]) -> impl Iterator<Item = &FileClass> {
        classes.iter().enumerate().filter(move |(i, _)| self.has(*i)).map(|(_, class)| class)
    }
}

/// What of a fragile disk is given up.
#[derive(Clone, Debug)]
pub(super) struct GivenUp {
    /// Files have no classes: all of them.
    all_files: bool,
    /// All classes, so that the disk as a whole may be lost.
    all_classes: bool,
    /// How the names of its files begin, if they have classes.
    starts: Vec<FileName>,
}

impl Default for GivenUp {
    fn default() -> GivenUp {
        GivenUp { all_files: true, all_classes: true, starts: Vec::new() }
    }
}

impl GivenUp {
    /// All files. Keeps its memory.
    pub(super) fn reset(&mut self) {
        (self.all_files, self.all_classes) = (true, true);
        self.starts.clear();
    }

    /// Only the files of some of these classes, if there are any classes.
    pub(super) fn only(&mut self, classes: &[FileClass], some: ClassSet) {
        self.all_files = classes.is_empty();
        self.all_classes = (0..classes.len()).all(|class| some.has(class));
        self.starts.clear();
        self.starts.extend(some.of(classes).map(|class| class.start));
    }

    /// Whether the file of this name is. What has no name, or no class, is not unless all files are.
    pub(super) fn file(&self, name: Option<FileName>) -> bool {
        let begins = |name: FileName| self.starts.iter().any(|start| name.starts_with(*start));
        self.all_files || name.is_some_and(begins)
    }

    /// Whether the disk as a whole is.
    pub(super) const fn all(&self) -> bool {
        self.all_classes
    }
}
