//! What lies in a folder: its subfolders and its pictures, sorted by name. It
//! opens no picture and knows no halves of a data set.

use crate::FolderError;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Endings of the names of pictures, in lower case.
const ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];

/// One picture of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    /// The file.
    pub(crate) path: PathBuf,
    /// Its class.
    pub(crate) label: u16,
}

/// A folder of classes: their names and their pictures, in that order.
#[derive(Debug)]
pub(crate) struct Classes {
    /// The names of the classes, sorted.
    pub(crate) names: Vec<String>,
    /// The pictures, by class and then by name.
    pub(crate) pictures: Vec<Picture>,
}

/// The subfolders of `path` that are not hidden, sorted by name.
pub(crate) fn subfolders(path: &Path) -> Result<Vec<String>, FolderError> {
    let (folders, _) = entries(path)?;
    Ok(folders)
}

/// The classes in `path`: one for each subfolder, with its pictures.
pub(crate) fn classes(path: &Path) -> Result<Classes, FolderError> {
    let names = subfolders(path)?;
    match &names[..] {
        [] => return Err(FolderError::NoClasses(path.to_owned())),
        [class] => {
            return Err(FolderError::OneClass {
                path: path.to_owned(),
                class: class.clone(),
            });
        }
        _ => {}
    }
    let mut pictures = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let label = u16::try_from(index).map_err(|_| FolderError::TooManyClasses {
            path: path.to_owned(),
            count: names.len(),
        })?;
        let folder = path.join(name);
        let (_, files) = entries(&folder)?;
        let before = pictures.len();
        let named = files.into_iter().filter(|file| is_picture(file));
        pictures.extend(named.map(|file| Picture {
            path: folder.join(file),
            label,
        }));
        if pictures.len() == before {
            return Err(FolderError::EmptyClass(folder));
        }
    }
    Ok(Classes { names, pictures })
}

/// Whether a file of this name should be a picture.
fn is_picture(name: &str) -> bool {
    let ending = Path::new(name).extension().unwrap_or_default();
    ENDINGS
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known))
}

/// The names of the folders and of the files in `path`, each sorted; links are
/// followed and hidden names left out, as are links to nothing.
fn entries(path: &Path) -> Result<(Vec<String>, Vec<String>), FolderError> {
    let refused = |source| FolderError::from_system(path, source);
    if !fs::metadata(path).map_err(refused)?.is_dir() {
        return Err(FolderError::NotAFolder(path.to_owned()));
    }
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(path).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        // A name that is not Unicode cannot be shown or typed again.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        match fs::metadata(entry.path()) {
            Ok(data) if data.is_dir() => folders.push(name),
            Ok(data) if data.is_file() => files.push(name),
            _ => {}
        }
    }
    folders.sort_unstable();
    files.sort_unstable();
    Ok((folders, files))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn touch(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
    }

    #[test]
    fn classes_and_pictures_are_sorted_and_the_rest_is_skipped() {
        let root = tempfile::tempdir().unwrap();
        let names = [
            "dog/b.JPG",
            "dog/a.png",
            "cat/x.jpeg",
            "cat/notes.txt",
            "cat/.y.png",
        ];
        touch(root.path(), &names);
        touch(
            root.path(),
            &[
                "readme.md",
                "loose.png",
                ".git/config.png",
                "cat/deep/z.png",
            ],
        );
        let found = classes(root.path()).unwrap();
        assert_eq!(found.names, ["cat", "dog"]);
        let expected = [("cat/x.jpeg", 0), ("dog/a.png", 1), ("dog/b.JPG", 1)];
        assert_eq!(
            found.pictures,
            expected.map(|(name, label)| Picture {
                path: root.path().join(name),
                label,
            })
        );
    }

    #[test]
    fn what_is_no_folder_of_classes_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let error = || classes(root.path()).unwrap_err();
        assert!(matches!(error(), FolderError::NoClasses(_)));
        touch(root.path(), &["cat/a.png"]);
        assert!(matches!(error(), FolderError::OneClass { .. }));
        touch(root.path(), &["dog/a.txt"]);
        assert!(matches!(error(), FolderError::EmptyClass(path) if path.ends_with("dog")));
        let missing = classes(&root.path().join("none"));
        assert!(matches!(missing, Err(FolderError::Missing(_))));
        let file = classes(&root.path().join("cat/a.png"));
        assert!(matches!(file, Err(FolderError::NotAFolder(_))));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_links_to_nothing_skipped() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), &["cat/a.png", "dog/b.png"]);
        symlink(root.path().join("cat/a.png"), root.path().join("dog/a.png")).unwrap();
        symlink(root.path().join("none"), root.path().join("dog/c.png")).unwrap();
        assert_eq!(classes(root.path()).unwrap().pictures.len(), 3);
    }
}
