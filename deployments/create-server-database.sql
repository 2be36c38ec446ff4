-- Runs once, when the volume is empty. The warehouse's database is made by the image itself.
CREATE DATABASE prefect;
