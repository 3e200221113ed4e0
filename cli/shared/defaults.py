"""Options whose default is the task's."""

from typing import Any, get_args

import click

from genurl_graph.config.choices import TaskName

# Tasks that embed data; a student of distill has defaults of its own.
EMBEDDING_TASKS: tuple[TaskName, ...] = tuple(task for task in get_args(TaskName) if task != "distill")


class PresetOption(click.Option):
    """An option whose default is the task's: the help lists it for each task, out of the presets themselves."""

    def __init__(self, *words: Any, key: str, **more: Any) -> None:
        super().__init__(*words, **more)
        self.key, self.text = key.split("."), self.help or ""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        self.help = f"{self.text} [default: {self.by_task('distill' if ctx.info_name == 'distill' else None)}]"
        return super().get_help_record(ctx)

    def by_task(self, only: TaskName | None = None) -> str:
        """The default of one task, or of each, such as "graph 384, reduce 2"."""
        from genurl_graph.config import load_preset

        stage, name = self.key

        def value(task: TaskName) -> str:
            found = load_preset(task).to_dict()[stage][name]
            return f"{found:g}" if isinstance(found, float) else str(found)

        if only is not None:
            return value(only)
        found = {task: value(task) for task in EMBEDDING_TASKS}
        alike = set(found.values())
        return alike.pop() if len(alike) == 1 else ", ".join(f"{task} {each}" for task, each in found.items())
