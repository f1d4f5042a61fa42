"""Places of students that people sponsor month by month: money set aside a term, released on proof that is seen twice."""
