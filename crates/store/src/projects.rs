//! Projects: each a folder of pipelines, scripts and records, known by its slug.

use base::{Error, ProjectId, Result, Timestamp};
use rusqlite::{Connection, Row};

use crate::doors::Write;
use crate::feed::Topic;
use crate::manifests::Publication;
use crate::{names, sql};

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// The name of its folder: lower-case ASCII letters, digits and dashes.
    pub slug: String,
    /// Its name, as people write it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

const COLUMNS: &str = "id, slug, name, created_at";

impl Project {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: sql::parsed(row, "id")?,
            slug: row.get("slug")?,
            name: row.get("name")?,
            created_at: sql::time(row, "created_at")?,
        })
    }
}

/// Makes a project. Its slug follows from the name, with a number where that is taken.
///
/// # Errors
/// `InvalidInput` for a name that is empty or too long.
pub fn create(w: &mut Write<'_>, name: &str) -> Result<Project> {
    let name = names::check("project", name)?;
    let base = slug_of(name);
    let mut slug = base.clone();
    for number in 2.. {
        if by_slug(w, &slug)?.is_none() {
            break;
        }
        slug = format!("{base}-{number}");
    }
    insert(w, Project { id: ProjectId::new(), slug, name: name.to_owned(), created_at: w.now() })
}

/// Takes a folder that is there already as a project, such as one that was cloned.
///
/// # Errors
/// `AlreadyExists` when a project has this slug; `InvalidInput` when it cannot be one.
pub fn adopt(w: &mut Write<'_>, slug: &str, name: &str) -> Result<Project> {
    if slug != slug_of(slug) {
        return Err(Error::invalid(format!("`{}` cannot be the folder of a project", slug.escape_debug()))
            .hint("use lower-case letters, digits and dashes"));
    }
    if by_slug(w, slug)?.is_some() {
        return Err(names::taken("project", slug));
    }
    let name = names::check("project", name)?.to_owned();
    insert(w, Project { id: ProjectId::new(), slug: slug.to_owned(), name, created_at: w.now() })
}

fn insert(w: &mut Write<'_>, project: Project) -> Result<Project> {
    sql::change(
        w,
        "insert into projects (id, slug, name, created_at) values (?1, ?2, ?3, ?4)",
        (project.id.as_str(), &project.slug, &project.name, project.created_at.as_ms()),
    )?;
    publish(w, &project.id);
    Ok(project)
}

/// Gives a project another name. Its slug stays.
///
/// # Errors
/// `NotFound`; `InvalidInput` for a name that is empty or too long.
pub fn rename(w: &mut Write<'_>, id: &ProjectId, name: &str) -> Result<()> {
    let name = names::check("project", name)?;
    let changed = sql::change(w, "update projects set name = ?2 where id = ?1", (id.as_str(), name))?;
    if changed == 0 {
        return Err(names::unknown("project", id));
    }
    publish(w, id);
    Ok(())
}

/// The project with this id.
///
/// # Errors
/// `NotFound`.
pub fn get(db: &Connection, id: &ProjectId) -> Result<Project> {
    let query = format!("select {COLUMNS} from projects where id = ?1");
    sql::first(db, &query, [id.as_str()], Project::read)?.ok_or_else(|| names::unknown("project", id))
}

/// The project with this slug, if there is one.
///
/// # Errors
/// When the workspace cannot be read.
pub fn by_slug(db: &Connection, slug: &str) -> Result<Option<Project>> {
    let query = format!("select {COLUMNS} from projects where slug = ?1");
    sql::first(db, &query, [slug], Project::read)
}

/// All projects, by name.
///
/// # Errors
/// When the workspace cannot be read.
pub fn list(db: &Connection) -> Result<Vec<Project>> {
    let query = format!("select {COLUMNS} from projects order by name collate nocase, id");
    sql::many(db, &query, [], Project::read)
}

fn publish(w: &mut Write<'_>, id: &ProjectId) {
    w.touch(Topic::Projects);
    w.publish(Publication::new("project", id).rows("projects", "id = ?1", &[id.as_str()]));
}

/// The slug of a name: what is left of it in ASCII letters and digits, dashes between.
fn slug_of(name: &str) -> String {
    /// Names that Windows keeps for devices.
    const RESERVED: [&str; 4] = ["con", "prn", "aux", "nul"];
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() == 48 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    let is_device =
        RESERVED.contains(&slug) || (slug.len() == 4 && (slug.starts_with("com") || slug.starts_with("lpt")));
    match slug {
        "" => "project".to_owned(),
        _ if is_device => format!("project-{slug}"),
        _ => slug.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_a_safe_folder_name() {
        let slugs = ["Iris & friends", "../../etc", "Ü", "CON", "com1", "", "a--b"].map(slug_of);
        assert_eq!(
            slugs,
            ["iris-friends", "etc", "project", "project-con", "project-com1", "project", "a-b"]
        );
    }
}
