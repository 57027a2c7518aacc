"""For instructors: a copy of the course without solutions, and what a class answered.

===========  ====================================================================
room         what it holds
===========  ====================================================================
``copy``     the course without solutions, tools and tests
``slicing``  of a learner's notebook, the statements that an answer needs
``room``     the kernel in which answers are judged
``gather``   the answers of a whole class, counted by exercise and mistake
===========  ====================================================================

nbgrader serves neither: it puts one fixed text in the place of every solution, where Run All needs
a line that differs by exercise; its points come from cells that raise, and a check of this course
never does (a wrong answer would get full marks); and it keeps points, not what was wrong.
"""
