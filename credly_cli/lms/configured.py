"""The source of LMS data that the configuration names."""

from credly_cli.lms.source import Source, Surroundings


def source_of(around: Surroundings) -> Source | None:
    """Return the source that the configuration names."""
    match around.settings.lms.source:
        case "files":
            from credly_cli.lms.files_source import FilesSource  # noqa: PLC0415 - only what is configured

            return FilesSource(around)
        case "thought-industries":
            from credly_cli.lms.thought_industries.source import ThoughtIndustries  # noqa: PLC0415

            return ThoughtIndustries.configured(around)
        case _:
            return None
