"""How the course is published; for maintainers, no lesson imports anything from here.

=============  ==================================================================
room           what it holds
=============  ==================================================================
``address``    where the course lives, and how a fork re-points every link
``rendering``  a notebook's cells and outputs as HTML that keeps figures' words
``pages``      the course as static pages, with search
``slides``     a lesson as slides with speaker notes
=============  ==================================================================
"""
