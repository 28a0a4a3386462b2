//! The spool as programs and the hub use it together.

use std::fs;
use std::path::Path;

use countersign_model::Millis;

use super::*;

fn id(n: usize) -> String {
    format!("{n:032x}")
}

fn put_at(folder: &Path, n: usize, micros: u64, body: &[u8]) {
    let letter = Letter {
        id: &id(n),
        micros,
        agent: "codex",
        body,
    };
    put(folder, &letter).expect("written");
}

/// A full spool, without the time that it takes programs to fill it.
fn fill(folder: &Path) {
    put_at(folder, 0, 0, b"x");
    for n in 1..MOST_LETTERS {
        let name = name::Name {
            micros: 1_000 * n as u64,
            id: id(n),
            bytes: 7,
        };
        fs::write(folder.join(name.to_string()), "codex\nx").expect("written");
    }
}

fn ids(folder: &Path) -> Vec<String> {
    list(folder)
        .expect("read")
        .iter()
        .map(|letter| letter.id().to_owned())
        .collect()
}

#[test]
fn letters_come_out_in_the_order_of_their_hooks_and_to_the_letter() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = folder(&home.path().join("data"));
    assert_eq!(ids(&folder), [""; 0]);
    put_at(&folder, 1, 2_000, b"second\nline");
    put_at(&folder, 2, 1_000, b"");
    let letters = list(&folder).expect("read");
    assert_eq!(ids(&folder), [id(2), id(1)]);
    assert_eq!(letters[1].time(), Millis(2));
    let whole = read(&folder, &letters[1]).expect("read");
    assert_eq!(whole, Some(("codex".to_owned(), b"second\nline".to_vec())));
    remove(&folder, &letters[0]).expect("removed");
    remove(&folder, &letters[0]).expect("gone is fine");
    assert_eq!(read(&folder, &letters[0]).expect("gone is none"), None);
    assert_eq!(ids(&folder), [id(1)]);
}

#[cfg(unix)]
#[test]
fn folder_and_letters_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().expect("a folder");
    let folder = folder(&home.path().join("data"));
    put_at(&folder, 0, 0, b"x");
    put_at(&folder, 1, MOST_AGE_MICROS + 1, b"x");
    assert!(folder.join(DROPS).exists());
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&home.path().join("data")), mode(&folder)), (0o700, 0o700));
    for entry in fs::read_dir(&folder).expect("read") {
        let path = entry.expect("read").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn the_oldest_letters_make_room_and_are_counted_once() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = folder(home.path());
    fill(&folder);
    for n in MOST_LETTERS..MOST_LETTERS + 3 {
        put_at(&folder, n, 1_000 * n as u64, b"x");
    }
    let left = ids(&folder);
    assert_eq!((left.len(), left[0].as_str()), (MOST_LETTERS, id(3).as_str()));
    let dropped = Dropped {
        count: 3,
        first: Millis(0),
        last: Millis(2),
    };
    assert_eq!(drops(&folder).expect("read"), Some(dropped.clone()));
    // Whoever was killed before it was told tells it again.
    assert_eq!(drops(&folder).expect("read"), Some(dropped));
    forget_drops(&folder).expect("noted");
    assert_eq!(drops(&folder).expect("read"), None);
}

#[test]
fn large_and_old_letters_are_bounded_too() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = folder(home.path());
    let large = vec![b'x'; 12 * 1024 * 1024];
    for n in 0..8 {
        put_at(&folder, n, n as u64, &large);
    }
    let left = ids(&folder);
    assert!(left.len() == 5 && left.ends_with(&[id(7)]), "{left:?}");
    put_at(&folder, 9, MOST_AGE_MICROS + 7, b"a week later");
    assert_eq!(ids(&folder), [id(7), id(9)]);
    put_at(&folder, 10, MOST_AGE_MICROS + 8, b"");
    assert_eq!(ids(&folder), [id(9), id(10)]);
}

#[test]
fn what_a_power_cut_or_a_killed_program_left_is_no_letter() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = folder(home.path());
    put_at(&folder, 1, 1, b"whole");
    fs::write(folder.join(".draft-x"), "half").expect("written");
    fs::write(folder.join(format!("{:020}-{}-99.json", 2, id(2))), "codex\nhalf").expect("written");
    fs::write(folder.join("notes.txt"), "not ours").expect("written");
    let letters = list(&folder).expect("read");
    assert_eq!(ids(&folder), [id(1), id(2)]);
    assert_eq!(read(&folder, &letters[1]).expect("read"), None);
    clear_drafts(&folder).expect("read");
    assert!(
        folder.join(".draft-x").exists(),
        "it may be somebody's who still writes"
    );
    assert!(folder.join("notes.txt").exists());
}

#[test]
fn programs_that_write_at_once_lose_and_double_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = folder(&home.path().join("data"));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let folder = &folder;
            scope.spawn(move || {
                for n in 0..50 {
                    put_at(folder, thread * 100 + n, n as u64, format!("{thread}.{n}").as_bytes());
                }
            });
        }
    });
    let letters = list(&folder).expect("read");
    assert_eq!(letters.len(), 400);
    for letter in letters {
        let (agent, body) = read(&folder, &letter).expect("read").expect("whole");
        let n = usize::from_str_radix(letter.id(), 16).expect("hex");
        assert_eq!(
            (agent.as_str(), body),
            ("codex", format!("{}.{}", n / 100, n % 100).into_bytes())
        );
    }
}
