"""The API that the moved handlers call: things that have a name, and come to be ready."""

NEEDED = 2  # looks until a thing is ready


class Things:
    """Things by id; whoever makes one twice has two."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.objects, self.created, self.calls = {}, [], []
        self._looks = {}

    def make(self, name):
        made = f"thing-{len(self.created) + 1}"
        self.objects[made] = name
        self.created.append(made)
        self.calls.append(f"make {name}")
        return made

    def change(self, thing, name):
        self.calls.append(f"change {thing}")
        self.objects[thing] = name

    def remove(self, thing):
        self.calls.append(f"remove {thing}")
        self.objects.pop(thing, None)

    def is_ready(self, thing):
        self._looks[thing] = self._looks.get(thing, 0) + 1
        return self._looks[thing] > NEEDED


things = Things()
