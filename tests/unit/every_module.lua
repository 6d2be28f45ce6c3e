-- A module of tests/unit/every_name.lua, which pauses while it is loaded.
sleep(0.1)
return { name = ... }
