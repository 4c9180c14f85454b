<?xml version="1.0" encoding="UTF-8"?>
<!-- Makes a ListObjectsV2 answer of nginx's autoindex. nginx's ETag is "hex(mtime)-hex(size)": the
     listed ETags are the served ones if every file has the modification time below, which is
     s3_data.py's. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="xml" encoding="UTF-8"/>
  <xsl:param name="prefix"/>
  <xsl:param name="bucket"/>
  <xsl:variable name="mtime">@MTIME@</xsl:variable>

  <xsl:template name="hex">
    <xsl:param name="n"/>
    <xsl:if test="$n &gt; 15">
      <xsl:call-template name="hex"><xsl:with-param name="n" select="floor($n div 16)"/></xsl:call-template>
    </xsl:if>
    <xsl:value-of select="substring('0123456789abcdef', ($n mod 16) + 1, 1)"/>
  </xsl:template>

  <xsl:template match="/list">
    <xsl:variable name="found" select="file[starts-with(., $prefix)]"/>
    <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
      <Name><xsl:value-of select="$bucket"/></Name>
      <Prefix><xsl:value-of select="$prefix"/></Prefix>
      <MaxKeys>100000</MaxKeys>
      <IsTruncated>false</IsTruncated>
      <KeyCount><xsl:value-of select="count($found)"/></KeyCount>
      <xsl:for-each select="$found">
        <Contents>
          <Key><xsl:value-of select="."/></Key>
          <LastModified><xsl:value-of select="substring(@mtime, 1, 19)"/>.000Z</LastModified>
          <ETag>"<xsl:value-of select="$mtime"/>-<xsl:call-template name="hex"><xsl:with-param name="n" select="@size"/></xsl:call-template>"</ETag>
          <Size><xsl:value-of select="@size"/></Size>
          <StorageClass>STANDARD</StorageClass>
        </Contents>
      </xsl:for-each>
    </ListBucketResult>
  </xsl:template>
</xsl:stylesheet>
