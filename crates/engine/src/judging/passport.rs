//! The passport of a model version: one signed file with the package, its card, lineage, fingerprints
//! of the data, tests, approvals, an excerpt of the audit log and a bill of materials. Whoever has the
//! file can check it, without a workspace: every byte of it is covered by a hash or by the signature.
//!
//! The file is a line that names the format, a line of canonical JSON that lists the sections with
//! their lengths and BLAKE3 hashes, a line with the signature of that list, and the sections, one
//! behind the other.

use std::path::Path;

use base::{Code, Error, Result, Timestamp};
use score::Package;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::judgements::{self, Approval};
use store::projects::Project;
use store::{Action, AuditEntry, canonical_json};

use super::approvals::{About, check_all};
use super::bom;
use super::identity::Identity;
use super::seal::{Purpose, verify as verify_seal};
use super::tests::card_of;
use crate::Engine;
use crate::models::Picked;

const FIRST_LINE: &str = "fettle passport 1\n";
/// Larger files are refused.
const MOST_BYTES: u64 = 2 << 30;
/// The list of sections is no longer than this.
const MOST_LIST_BYTES: usize = 4 << 20;
/// Entries of the audit log that are taken along.
const MOST_AUDIT: usize = 200;
/// Files of the package are sections with this before their path.
const PACKAGE: &str = "package/";

/// The signed list of what is in a passport.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    key: String,
    person: String,
    sections: Vec<Entry>,
}

/// A section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    bytes: u64,
    hash: String,
    name: String,
}

/// What a look at a passport found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "camelCase")]
pub struct PassportCheck {
    /// True if nothing is wrong.
    pub is_genuine: bool,
    /// What is wrong, one sentence each, naming the part of the file.
    pub troubles: Vec<String>,
    /// The model, if that part is whole.
    pub model: Option<String>,
    /// The version.
    pub version: Option<u32>,
    /// Who signed it.
    pub person: Option<String>,
    /// With which key: compare it with one that you know.
    pub key: Option<String>,
    /// The parts of the file.
    pub sections: Vec<String>,
    /// Who approved the version.
    pub approved_by: Vec<String>,
    /// What came of the tests, in a sentence.
    pub tests: Option<String>,
}

impl Engine {
    /// Writes the passport of a version, signed by this user.
    pub(crate) fn write_passport(&self, project: &Project, picked: &Picked, to: &Path) -> Result<Value> {
        let identity = Identity::load()?;
        let sections = self.passport_sections(project, picked)?;
        let list = List {
            key: identity.key(),
            person: identity.person.clone(),
            sections: sections
                .iter()
                .map(|(name, bytes)| Entry {
                    name: name.clone(),
                    bytes: bytes.len() as u64,
                    hash: blake3::hash(bytes).to_hex().to_string(),
                })
                .collect(),
        };
        let line = canonical_json(&json!(list));
        let mut file = format!("{FIRST_LINE}{line}\n").into_bytes();
        file.extend(identity.sign(Purpose::Passport, line.as_bytes()).bytes());
        file.push(b'\n');
        sections.iter().for_each(|(_, bytes)| file.extend(bytes));
        store::files::write_atomic(to, &file)?;
        let subject = format!("{} v{}", picked.model.name, picked.version.number);
        let hash = blake3::hash(&file).to_hex().to_string();
        self.store().write(
            Action::new("model.passport", subject).by(&identity.person).with("hash", hash.clone()),
            |_| Ok(()),
        )?;
        Ok(json!({ "path": to, "bytes": file.len(), "hash": hash, "key": identity.key() }))
    }

    fn passport_sections(&self, project: &Project, picked: &Picked) -> Result<Vec<(String, Vec<u8>)>> {
        let version = &picked.version;
        let folder = self.package_dir(&version.package)?;
        let package = Package::load(&folder)?;
        let card = card_of(&package)?;
        let origin = self.origin(version)?;
        let approvals = self.store().read(|db| judgements::approvals(db, &version.id))?;
        let data = match &version.dataset_version_id {
            Some(id) => Some(self.store().read(|db| {
                let version = store::datasets::version(db, id)?;
                Ok((store::datasets::get(db, &version.dataset_id)?.name, version))
            })?),
            None => None,
        };
        let mut files = Vec::new();
        collect(&folder, "", &mut files)?;
        let bom = bom::document(&bom::Parts {
            model: &picked.model.name,
            version: version.number,
            package: &version.package.to_hex(),
            card,
            metrics: &version.metrics,
            data: data
                .as_ref()
                .map(|(name, version)| (name.clone(), version.number, version.content.to_hex())),
            at: self.store().clock().now().to_string(),
            files: files
                .iter()
                .map(|(name, bytes)| (name.clone(), blake3::hash(bytes).to_hex().to_string()))
                .collect(),
        });
        let about = json!({
            "model": picked.model.name,
            "version": version.number,
            "package": version.package,
            "metrics": version.metrics,
            "parity": version.parity,
            "signature": version.signature,
            "aliases": picked.aliases,
            "registeredAt": version.created_at.as_ms(),
            "writtenAt": self.store().clock().now().as_ms(),
        });
        let lineage = json!({
            "run": version.run_id,
            "step": origin.step,
            "pipeline": origin.pipeline,
            "recorded": card.lineage,
            "recipe": card.recipe,
            "trainer": card.trainer,
        });
        let data = data.map(|(name, version)| {
            json!({
                "dataset": name, "version": version.number, "content": version.content,
                "contentBytes": version.content_bytes, "rows": version.rows, "columns": version.columns,
                "schema": version.schema, "profile": version.profile,
            })
        });
        let text = |value: &Value| canonical_json(value).into_bytes();
        let mut sections = vec![
            ("about.json".to_owned(), text(&about)),
            ("lineage.json".to_owned(), text(&lineage)),
            ("data.json".to_owned(), text(&data.unwrap_or(Value::Null))),
            ("card.md".to_owned(), self.card_text(project, &picked.model.name)?.into_bytes()),
            ("tests.json".to_owned(), text(&json!(self.last_test_report(version)?))),
            ("approvals.json".to_owned(), text(&approvals.iter().map(approval_json).collect())),
            ("audit.json".to_owned(), text(&self.audit_excerpt(&picked.model.name)?)),
            ("bom.cdx.json".to_owned(), text(&bom)),
        ];
        sections.extend(files.into_iter().map(|(name, bytes)| (format!("{PACKAGE}{name}"), bytes)));
        Ok(sections)
    }

    /// The entries of the audit log about a model, oldest first, and where the log stands.
    fn audit_excerpt(&self, model: &str) -> Result<Value> {
        let is_about = |entry: &AuditEntry| {
            entry.action.starts_with("model.")
                && entry
                    .subject
                    .strip_prefix(model)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        let mut found: Vec<AuditEntry> = Vec::new();
        let mut head = None;
        let mut offset = 0;
        loop {
            let page = self.store().read(|db| store::audit::list(db, store::Page::new(offset, 1000)))?;
            head = head.or_else(|| page.first().map(|entry| json!({ "id": entry.id, "hash": entry.hash })));
            offset += page.len() as u32;
            let is_last = page.len() < 1000;
            found.extend(page.into_iter().filter(is_about));
            if is_last || found.len() >= MOST_AUDIT {
                break;
            }
        }
        found.truncate(MOST_AUDIT);
        let entry = |entry: &AuditEntry| {
            json!({
                "id": entry.id, "at": entry.at.as_ms(), "actor": entry.actor, "action": entry.action,
                "subject": entry.subject, "details": entry.details, "prev": entry.prev, "hash": entry.hash,
            })
        };
        Ok(json!({ "head": head, "entries": found.iter().rev().map(entry).collect::<Vec<_>>() }))
    }
}

fn approval_json(one: &Approval) -> Value {
    json!({
        "versionId": one.version_id, "sequence": one.sequence, "person": one.person, "key": one.key,
        "statement": one.statement, "signature": one.signature, "at": one.at.as_ms(),
    })
}

fn approval_of(value: &Value) -> Option<Approval> {
    let word = |name: &str| Some(value[name].as_str()?.to_owned());
    Some(Approval {
        version_id: word("versionId")?.parse().ok()?,
        sequence: value["sequence"].as_i64()?,
        person: word("person")?,
        key: word("key")?,
        statement: word("statement")?,
        signature: word("signature")?,
        at: Timestamp(value["at"].as_i64()?),
    })
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .map_err(|e| Error::io("list", folder, &e))?
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(|e| Error::io("list", folder, &e))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), files)?;
        } else {
            files.push((
                format!("{prefix}{name}"),
                std::fs::read(&path).map_err(|e| Error::io("read", &path, &e))?,
            ));
        }
    }
    Ok(())
}

/// Looks at a passport file, anywhere: hashes, signatures, and whether the package answers its golden
/// row.
///
/// # Errors
/// The file cannot be read, or is no passport at all. What is wrong with a passport is in the answer.
pub fn verify(path: &Path) -> Result<PassportCheck> {
    let size = std::fs::metadata(path).map_err(|e| Error::io("read", path, &e))?.len();
    if size > MOST_BYTES {
        return Err(Error::invalid(format!("the passport has {}", base::bytes(size)))
            .hint(format!("{} is the most", base::bytes(MOST_BYTES))));
    }
    let file = std::fs::read(path).map_err(|e| Error::io("read", path, &e))?;
    Ok(verify_bytes(&file))
}

/// Looks at the bytes of a passport.
pub fn verify_bytes(file: &[u8]) -> PassportCheck {
    let mut check = PassportCheck {
        is_genuine: false,
        troubles: Vec::new(),
        model: None,
        version: None,
        person: None,
        key: None,
        sections: Vec::new(),
        approved_by: Vec::new(),
        tests: None,
    };
    if let Err(error) = look(file, &mut check) {
        check.troubles.push(error.message);
    }
    check.is_genuine = check.troubles.is_empty();
    check
}

/// Looks at every part; fails where nothing after it can be made sense of.
fn look(file: &[u8], check: &mut PassportCheck) -> Result<()> {
    let wrong = |what: &str| Error::new(Code::Corrupt, what.to_owned());
    let rest = file
        .strip_prefix(FIRST_LINE.as_bytes())
        .ok_or_else(|| wrong("the first line is not that of a passport of this format"))?;
    let (line, rest) = cut_line(rest).ok_or_else(|| wrong("the list of contents has no end"))?;
    let (seal, body) = cut_line(rest).ok_or_else(|| wrong("the signature has no end"))?;
    let list: List = serde_json::from_slice(line)
        .map_err(|_| wrong("the list of contents was changed: it cannot be read"))?;
    if canonical_json(&json!(list)).as_bytes() != line {
        return Err(wrong("the list of contents was changed: it is not as it was written"));
    }
    check.person = Some(list.person.clone());
    check.key = Some(list.key.clone());
    check.sections = list.sections.iter().map(|entry| entry.name.clone()).collect();
    let seal = std::str::from_utf8(seal).unwrap_or_default();
    if verify_seal(&list.key, Purpose::Passport, line, seal).is_err() {
        check
            .troubles
            .push("the signature does not fit the list of contents: one of the two was changed".to_owned());
    }
    let mut sections: Vec<(&str, Option<&[u8]>)> = Vec::new();
    let mut rest = body;
    for entry in &list.sections {
        let length = usize::try_from(entry.bytes).ok().filter(|length| *length <= rest.len());
        let Some(length) = length else {
            return Err(wrong(&format!("the file ends within `{}`", entry.name)));
        };
        let (bytes, behind) = rest.split_at(length);
        rest = behind;
        let is_whole = blake3::hash(bytes).to_hex().as_str() == entry.hash;
        if !is_whole {
            check.troubles.push(format!("`{}` was changed after it was signed", entry.name));
        }
        sections.push((&entry.name, is_whole.then_some(bytes)));
    }
    if !rest.is_empty() {
        check.troubles.push(format!("{} bytes stand behind the end", rest.len()));
    }
    look_inside(&sections, check);
    Ok(())
}

fn cut_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().take(MOST_LIST_BYTES).position(|byte| *byte == b'\n')?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// What the parts say, as far as they are whole.
fn look_inside(sections: &[(&str, Option<&[u8]>)], check: &mut PassportCheck) {
    let section = |name: &str| sections.iter().find(|(own, _)| *own == name).and_then(|(_, bytes)| *bytes);
    let json = |name: &str| serde_json::from_slice::<Value>(section(name)?).ok();
    if let Some(about) = json("about.json") {
        check.model = about["model"].as_str().map(str::to_owned);
        check.version = about["version"].as_u64().and_then(|number| u32::try_from(number).ok());
        if let Some(approvals) = json("approvals.json") {
            let all: Vec<Approval> =
                approvals.as_array().into_iter().flatten().filter_map(approval_of).collect();
            if all.len() != approvals.as_array().map_or(0, Vec::len) {
                check.troubles.push("an approval cannot be read".to_owned());
            }
            let about =
                About { package: about["package"].as_str().unwrap_or_default().to_owned(), tests: None };
            for one in check_all(&all, &about, None) {
                match &one.forgery {
                    Some(forgery) => {
                        check.troubles.push(format!("the approval of `{}`: {forgery}", one.person))
                    }
                    None if one.counts() => check.approved_by.push(one.person.clone()),
                    None => {}
                }
            }
        }
    }
    if let Some(bytes) = section("tests.json") {
        let report = serde_json::from_slice::<Option<learn::model_tests::report::TestReport>>(bytes);
        check.tests = report.ok().flatten().map(|report| report.summary());
    }
    let files: Vec<(&str, Option<&[u8]>)> =
        sections.iter().filter_map(|(name, bytes)| Some((name.strip_prefix(PACKAGE)?, *bytes))).collect();
    if files.iter().all(|(_, bytes)| bytes.is_some())
        && let Err(error) = answers(&files)
    {
        check.troubles.push(format!("the package does not answer as it should: {}", error.message));
    }
}

/// Unpacks a package to a folder of its own, loads it and asks for its golden row.
fn answers(files: &[(&str, Option<&[u8]>)]) -> Result<()> {
    let folder =
        tempfile::tempdir().map_err(|e| Error::io("create a folder in", &std::env::temp_dir(), &e))?;
    for (name, bytes) in files {
        let is_plain =
            |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':']);
        if !name.split('/').all(is_plain) {
            return Err(Error::new(Code::Corrupt, format!("`{}` is no name of a file", name.escape_debug())));
        }
        let path = folder.path().join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|e| Error::io("create", parent, &e))?;
        }
        std::fs::write(&path, bytes.unwrap_or_default()).map_err(|e| Error::io("write", &path, &e))?;
    }
    match Package::load(folder.path())?.check_golden() {
        Ok(golden) if golden.passed => Ok(()),
        Ok(golden) => Err(Error::new(Code::Corrupt, golden.differences.join(", "))),
        // A package without a golden row has nothing to be compared with.
        Err(error) if error.code == Code::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judging::seal::{hex, public_key, sign};

    fn passport() -> Vec<u8> {
        let secret = [3; 32];
        let sections: [(&str, &[u8]); 2] =
            [("about.json", b"{\"model\":\"m\",\"version\":2}"), ("card.md", b"# m\n")];
        let entry = |(name, bytes): &(&str, &[u8])| Entry {
            name: (*name).to_owned(),
            bytes: bytes.len() as u64,
            hash: hex(blake3::hash(bytes).as_bytes()),
        };
        let list = List {
            key: public_key(&secret),
            person: "ann".to_owned(),
            sections: sections.iter().map(entry).collect(),
        };
        let line = canonical_json(&json!(list));
        let mut file = format!("{FIRST_LINE}{line}\n{}\n", sign(&secret, Purpose::Passport, line.as_bytes()))
            .into_bytes();
        sections.iter().for_each(|(_, bytes)| file.extend(*bytes));
        file
    }

    /// A file without a package has nothing to load, which is the only trouble that it may have.
    fn troubles(file: &[u8]) -> Vec<String> {
        verify_bytes(file)
            .troubles
            .into_iter()
            .filter(|one| !one.starts_with("the package does not"))
            .collect()
    }

    #[test]
    fn every_flipped_bit_is_found_and_its_part_named() {
        let whole = passport();
        assert_eq!(troubles(&whole), Vec::<String>::new());
        let body = whole.len() - 4 - 25;
        for byte in 0..whole.len() {
            for bit in 0..8 {
                let mut file = whole.clone();
                file[byte] ^= 1 << bit;
                let found = troubles(&file);
                assert!(!found.is_empty(), "bit {bit} of byte {byte} went unseen");
                if byte >= body {
                    let part = if byte < body + 25 { "about.json" } else { "card.md" };
                    assert!(found[0].contains(part), "byte {byte}: {found:?}");
                }
            }
        }
    }

    #[test]
    fn a_passport_that_is_cut_or_longer_is_found() {
        let whole = passport();
        for end in 0..whole.len() {
            assert!(!troubles(&whole[..end]).is_empty(), "cut at {end}");
        }
        assert!(troubles(&[whole.as_slice(), b"x"].concat())[0].contains("behind the end"));
    }
}
