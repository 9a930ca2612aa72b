-- Which images a site has. A site that says nothing starts machines of any (a simulated one starts
-- none in truth); once one says what it has, work is placed only where its image is.
create table site_image (
  site text not null,
  image text not null,
  primary key (site, image)
);
revoke insert, update, delete on site_image from millrace_tenant;

-- Hosts carry the images of their sites as labels, so those are others now.
create constraint trigger site_image_changes after insert or update or delete on site_image
  deferrable initially deferred for each row execute function replace_host_version();
create constraint trigger image_changes after insert or delete on image
  deferrable initially deferred for each row execute function replace_host_version();
