//! One flipped bit, anywhere in the packs or in the two databases, is found by a full check and
//! named with what depends on it.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use base::Progress;
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;
use store::{Access, CheckReport, Depth, FindingKind, Store, datasets, models, runs};
use tempfile::TempDir;

use crate::world::{World, action, clock, furnish, new_model_version, new_run, new_version};

/// A sequence of numbers with no pattern (xorshift), the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }
}

/// A workspace in which everything in the packs is needed by something, closed.
fn workspace() -> (PathBuf, TempDir) {
    let world = World::new();
    let store = &world.store;
    let project_id = furnish(store);
    let mut content = vec![0; 60_000];
    blake3::Hasher::new().finalize_xof().fill(&mut content);
    let file = world.dir.path().join("table.csv");
    fs::write(&file, &content).unwrap();
    let mut contents = vec![store.objects().put_file(&file).unwrap()];
    for byte in [100, 40_000] {
        content[byte] ^= 1;
        fs::write(&file, &content).unwrap();
        contents.push(
            store.objects().put_file_after(&file, contents.last().unwrap(), &Progress::silent()).unwrap(),
        );
    }
    let folder = world.dir.path().join("package");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("MLmodel"), "flavors: {}").unwrap();
    fs::write(folder.join("model.onnx"), &content[..3_000]).unwrap();
    let package = store.objects().put_tree(&folder).unwrap();
    let pipeline = store.objects().put_bytes(b"format = 1").unwrap();
    store
        .write(action(), |w| {
            let dataset = datasets::create(w, &project_id, "wine")?;
            for content in contents {
                datasets::add_version(w, &dataset.id, new_version(content))?;
            }
            let version = datasets::latest(w, &dataset.id)?.expect("three were made");
            let run =
                runs::create(w, runs::NewRun { pipeline_digest: Some(pipeline), ..new_run(&project_id) })?;
            runs::add_input(w, &run.id, "read", &version.id)?;
            runs::start(w, &run.id)?;
            runs::finish(w, &run.id, runs::RunState::Done, None)?;
            let model = models::create(w, &project_id, "taste")?;
            let new = models::NewModelVersion {
                run_id: Some(run.id),
                dataset_version_id: Some(version.id),
                metrics: json!({"auc": 0.9}),
                ..new_model_version(package)
            };
            models::add_version(w, &model.id, new)
        })
        .unwrap();
    // A commit settles what the one before has written.
    store.write(action(), |_| Ok(())).unwrap();
    (world.path(), world.close())
}

fn flip(path: &Path, at: u64, bit: u64) {
    let mut file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[byte[0] ^ (1 << bit)]).unwrap();
}

fn check(store: &Store) -> CheckReport {
    store.check(Depth::Full, &Progress::silent()).unwrap()
}

#[test]
fn any_of_500_flipped_bits_in_the_packs_is_found_and_named_with_what_depends_on_it() {
    let (path, dir) = workspace();
    let (store, _) = Store::open(&path, Access::Guest, clock()).unwrap();
    assert_eq!(check(&store).findings, []);
    let packs: Vec<_> =
        fs::read_dir(path.join("objects/packs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let lengths: Vec<_> = packs.iter().map(|pack| fs::metadata(pack).unwrap().len()).collect();
    let mut dice = Dice(88_172_645_463_325_252);
    for _ in 0..500 {
        let mut at = dice.roll(lengths.iter().sum());
        let mut pack = 0;
        while at >= lengths[pack] {
            at -= lengths[pack];
            pack += 1;
        }
        let bit = dice.roll(8);
        flip(&packs[pack], at, bit);
        let report = check(&store);
        let messages: Vec<_> = report.findings.iter().map(|finding| finding.message.as_str()).collect();
        assert!(!report.is_clean(), "bit {bit} of byte {at} of {}", packs[pack].display());
        let names = ["dataset `", "model `", "pipeline `"];
        assert!(
            messages.iter().any(|message| names.iter().any(|name| message.contains(name))),
            "{messages:?}"
        );
        flip(&packs[pack], at, bit);
    }
    assert_eq!(check(&store).findings, [], "nothing is left of the flips");
    drop(dir);
}

#[test]
fn damage_to_a_chunk_names_all_versions_told_by_it_and_what_was_made_of_them() {
    let (path, dir) = workspace();
    let packs = fs::read_dir(path.join("objects/packs")).unwrap().map(|entry| entry.unwrap().path());
    // The chunk of the first version lies whole in its pack; the other versions are told by it.
    let pack = packs.max_by_key(|pack| fs::metadata(pack).unwrap().len()).unwrap();
    flip(&pack, 10_000, 3);
    let (store, _) = Store::open(&path, Access::Guest, clock()).unwrap();
    let report = check(&store);
    let damaged = report.findings.iter().filter(|finding| finding.kind == FindingKind::DamagedObject);
    let damaged: Vec<_> = damaged.map(|finding| finding.message.as_str()).collect();
    assert_eq!(damaged.len(), 2, "the chunk, and the next one, which is told by it: {damaged:?}");
    let owners = [
        "version 1 of the dataset `wine`",
        "version 2 of the dataset `wine`",
        "version 3 of the dataset `wine`",
        "run 2 of the pipeline `species`, which read it",
        "version 1 of the model `taste`, which learned from it",
    ];
    assert!(damaged.iter().any(|message| owners.iter().all(|owner| message.contains(owner))), "{damaged:?}");
    drop(dir);
}

/// What a database says, as far as somebody else says it too; `None` when it does not even read.
type Told = Option<Vec<(String, Vec<Vec<Value>>)>>;

fn told(path: &Path, queries: &[String]) -> Told {
    let db = Connection::open(path).ok()?;
    let mut all = Vec::new();
    let integrity = "select integrity_check from pragma_integrity_check".to_owned();
    for query in std::iter::once(&integrity).chain(queries) {
        let mut statement = db.prepare(query).ok()?;
        let count = statement.column_count();
        let rows = statement.query_map([], |row| (0..count).map(|at| row.get(at)).collect()).ok()?;
        all.push((query.clone(), rows.collect::<rusqlite::Result<_>>().ok()?));
    }
    Some(all)
}

/// Flips bits of a database, one at a time, until so many of them mattered: the others leave it
/// sound and saying what it said, because they are in free space or in a counter that means
/// nothing. Each that matters must be found, unless opening alone puts right what the first
/// `lasting` queries tell.
fn flip_database(path: &Path, database: &Path, queries: &[String], lasting: usize) {
    const MATTERING: u32 = 250;
    let whole = fs::read(database).unwrap();
    let before = told(database, queries);
    let before_lasting = told(database, &queries[..lasting]);
    assert!(before.is_some());
    let restore = || {
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{suffix}", database.display()));
        }
        File::create(database).unwrap().write_all(&whole).unwrap();
    };
    let mut dice = Dice(2_463_534_242);
    let mut mattered = 0;
    while mattered < MATTERING {
        restore();
        let (at, bit) = (dice.roll(whole.len() as u64), dice.roll(8));
        flip(database, at, bit);
        if told(database, queries) == before {
            continue;
        }
        mattered += 1;
        restore();
        flip(database, at, bit);
        let is_found = match Store::open(path, Access::Guest, clock()) {
            Err(_) => true,
            Ok((store, _)) => {
                let is_found = !check(&store).is_clean();
                drop(store);
                is_found || told(database, &queries[..lasting]) == before_lasting
            }
        };
        assert!(is_found, "bit {bit} of byte {at} of {}", database.display());
    }
}

#[test]
fn any_of_250_flipped_bits_that_matter_in_the_index_is_found() {
    let (path, dir) = workspace();
    let database = path.join("fettle.db");
    let db = Connection::open(&database).unwrap();
    let mut statement = db
        .prepare(
            "select m.name, group_concat(c.name, ', ') from sqlite_schema m, pragma_table_info(m.name) c
             where m.type = 'table' and c.name not like 'last\\_%' escape '\\'
                 and not (m.name = 'manifests' and c.name = 'body')
             group by 1 order by 1",
        )
        .unwrap();
    // Neither the audit log nor the manifests tell these.
    let untold =
        ["drafts", "jobs", "step_cache", "step_uses", "trigger_events", "trigger_states", "unsettled"];
    let tables: Vec<(String, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    drop(statement);
    drop(db);
    let mut queries = vec!["select * from sqlite_schema order by type, name".to_owned()];
    queries.extend(
        tables
            .iter()
            .filter(|(table, _)| !untold.contains(&table.as_str()))
            .map(|(table, columns)| format!("select {columns} from {table} order by {columns}")),
    );
    assert!(queries.len() > 18, "{queries:?}");
    flip_database(&path, &database, &queries, queries.len());
    drop(dir);
}

#[test]
fn any_of_250_flipped_bits_that_matter_in_the_index_of_the_objects_is_found() {
    let (path, dir) = workspace();
    let queries = [
        "select type, name, tbl_name, sql from sqlite_schema order by type, name",
        "select name, bytes from packs order by name",
        "select p.name, digest, kind, codec, stored, raw, place from objects o join packs p on p.id = o.pack
         order by p.name, place",
        // Only hints, which opening forgets when it has to put something right.
        "select place, body from seen order by place",
    ];
    flip_database(&path, &path.join("objects/index.db"), &queries.map(str::to_owned), 3);
    drop(dir);
}
