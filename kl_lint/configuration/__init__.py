"""What a run is asked to do: the options, the files that hold some, and what is in force for a file."""
