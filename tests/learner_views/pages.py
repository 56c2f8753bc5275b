"""Pages to look at: a learner with a badge of every kind, and a learner at a school of hostile names."""

from pathlib import Path

from tests.learner_views.school import AGAIN, BADGE, ROBIN, School

SCRIPT = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
HOSTILE = f"{SCRIPT}\u202eev\u2066i\u200fl\x1b[31m\x07"


def busy_learner(school: School) -> None:
    """Let Robin have badges in progress, to discover, and earned: pending, accepted, rejected, expired."""
    sandbox = school.desk.sandbox
    url = "https://learn.example.org/"
    school.has()
    school.teaches("onboarding", "Welcome to Larkfield", "Onboarding Essentials", url=f"{url}onboarding")
    school.teaches("data-1", "Reading Data", "data-literacy-level-1", url=f"{url}data-1")
    school.teaches("data-2", "Working with Data", "data-literacy-level-2", url=f"{url}data-2")
    school.teaches("facilitator", "Leading Groups", "Facilitator", type="learningPath")
    school.teaches("documents", "Documents for Everybody", "Accessible Documents", url=f"{url}documents")
    school.teaches("project", "From Idea to Delivery", "project-management-practitioner", url=f"{url}project")
    school.teaches("first-aid", "First Aid Course", BADGE, url=f"{url}first-aid")
    school.teaches("webinars", "Webinars of the Season", AGAIN, type="webinar", url=f"{url}webinars")
    school.completes("first-aid")
    school.completes("webinars")
    school.desk.json("sync")
    sandbox.accept(school.desk.issued(AGAIN)[0].id)
    archived = dict(sandbox.templates[school.desk.badge_id(BADGE)], id="a1", name="Fire Warden", state="active")
    sandbox.add_template(archived)
    who = (ROBIN, "Robin", "Lark")
    old = sandbox.issue_in_credly("a1", *who, issued_at="2023-05-04 10:00:00 +0000", expires_at="2025-05-04")
    sandbox.accept(old.id)
    sandbox.add_template(dict(archived, id="a2", name="Night Shift Lead", image_url=None, image=None))
    declined = sandbox.issue_in_credly("a2", *who, issued_at="2024-01-09 10:00:00 +0000", expires_at="2030-01-09")
    sandbox.reject(declined.id)
    school.enrolls("data-1", progress="62.5")
    school.enrolls("data-2", progress="0")
    school.enrolls("facilitator")
    school.completes("onboarding")


def hostile_learner(school: School) -> None:
    """Let everything be called what nothing should be called, with addresses that must not be opened."""
    templates = school.desk.sandbox.templates
    evil = dict(templates[school.desk.badge_id(BADGE)], id="evil-1", name=HOSTILE, vanity_slug="evil-1")
    evil |= {"url": "javascript:document.title='owned'", "image_url": "javascript:document.title='owned'", "image": {}}
    for number in (1, 2, 3):
        school.desk.sandbox.add_template({**evil, "id": f"evil-{number}", "vanity_slug": f"evil-{number}"})
    school.desk.json("sync")
    name = HOSTILE.replace('"', '""')
    school.desk.imports("learners", f'email,first_name,last_name\n{ROBIN},"{name}",Lark\n')
    for number in (1, 2, 3):
        school.desk.imports(
            "content",
            f'content_id,title,type,status,url\nevil-{number},"{name}{number}",course,published,'
            "javascript:document.title='owned'\n",
        )
        school.desk.json("link", f"evil-{number}", f"evil-{number}")
    school.enrolls("evil-1", progress="40")
    school.desk.sandbox.issue_in_credly("evil-3", ROBIN, "Robin", "Lark")


def written(school: School, command: str, name: str = "page.html") -> Path:
    """Write a page and return where."""
    path = school.desk.home / name
    ran = school.desk.run(command, ROBIN, "--html", str(path))
    assert ran.code == 0, ran
    return path
